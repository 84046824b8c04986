internal import StoreLayout

/// The directory of one node in which data waits to be imported (Image API v2, "Stage").
public struct StagingArea: Sendable {
    public static let identifier = StagingName.identifier

    public let store: any Store
    /// The store's name in records of locations. It names the node and the directory, for no other node has what lies
    /// there, and none may carry out what is to be deleted from it.
    public let recordedStore: String

    /// - Parameters:
    ///   - host: The same for every start of this service, and of no other machine's.
    ///   - directory: Of this host.
    public init(_ store: any Store, host: String, directory: String) {
        self.store = store
        recordedStore = StagingName.recorded(host: host, directory: directory)
    }

    /// Whether a record's store is a staging area, of this node or another.
    public static func isRecorded(_ store: String?) -> Bool { StagingName.isRecorded(store) }
}
