public import StoreLayer
internal import WireJSON

/// What `filesystem_store_metadata_file` says: under which names other services find this store's file systems. Each entry
/// becomes the metadata of the locations below its mount point.
public struct MountPoints: Sendable, Equatable {
    private var entries: [(path: String, metadata: JSONObject)] = []

    public init() {}

    /// Reads an object, or an array of objects, each with the texts `id` and `mountpoint` and whatever else.
    ///
    /// - Throws: `failed` with a sentence for the operator.
    public init(parsing bytes: [UInt8]) throws(StoreError) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw Self.refusal("at byte \(error.offset): \(error.reason)")
        }
        let values: [JSONValue] =
            switch value {
            case .array(let values): values
            default: [value]
            }
        for value in values {
            guard let metadata = value.objectValue, metadata["id"]?.stringValue != nil,
                let path = metadata["mountpoint"]?.stringValue, path.hasPrefix("/")
            else {
                throw Self.refusal("every entry is an object with the texts id and mountpoint, an absolute path")
            }
            entries.append((path, metadata))
        }
    }

    private static func refusal(_ reason: String) -> StoreError {
        StoreError(.failed, "filesystem_store_metadata_file cannot be used: \(reason)")
    }

    /// What locations of files in a directory tell: the first entry above it; nothing where there is none.
    func metadata(of directory: DataDirectory) -> JSONObject {
        entries.first { entry in
            let path = "/" + entry.path.split(separator: "/").joined(separator: "/")
            return path == "/" || directory.path == path || directory.path.hasPrefix(path + "/")
        }?.metadata ?? [:]
    }

    public static func == (one: MountPoints, other: MountPoints) -> Bool {
        one.entries.elementsEqual(other.entries) { $0.path == $1.path && $0.metadata == $1.metadata }
    }
}
