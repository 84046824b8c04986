/// The name under which records know the staging directory of one node. Several nodes may have directories of the same
/// path, and none has what lies in another's.
public enum StagingName {
    public static let identifier = "os_glance_staging_store"

    /// - Parameters:
    ///   - host: the node's host name.
    ///   - directory: of that host.
    public static func recorded(host: String, directory: String) -> String { "\(identifier)@\(host):\(directory)" }

    /// Whether a record's store is a staging area, of this node or another.
    public static func isRecorded(_ store: String?) -> Bool { store?.hasPrefix(identifier + "@") == true }
}
