public import StoreLayer
internal import StoreLayout

/// What an operator decides about a file store.
public struct FileStoreOptions: Sendable {
    /// `filesystem_store_datadir` and `filesystem_store_datadirs`; at least one.
    public var directories: [DataDirectory]
    /// `filesystem_store_file_perm` as permission bits; `nil` leaves it to the process's umask.
    public var permissions: UInt32?
    /// `filesystem_thin_provisioning`: blocks of zeros become holes.
    public var isThin = false
    /// `filesystem_store_chunk_size` in bytes: the length of the blocks that may become holes.
    public var blockByteCount = 65_536
    /// `filesystem_store_timeout`: how long a call to the file system may take before this store is taken to hang; ten
    /// times as long where data is made durable. `nil` waits for ever.
    public var timeLimit: Duration? = .seconds(60)
    /// For calls that wait for all that the system has not written yet.
    var syncTimeLimit: Duration? { timeLimit.map { $0 * 10 } }
    /// `filesystem_store_metadata_file`: what locations tell of where a file is mounted elsewhere.
    public var mountPoints = MountPoints()
    /// How long a removal waits for another removal of the same file.
    public var lockPatience = Duration.seconds(5)

    public init(directories: [DataDirectory]) {
        precondition(!directories.isEmpty)
        self.directories = directories
    }

    /// Reads `filesystem_store_file_perm`, whose decimal digits stand for octal ones; 0 or less for none.
    ///
    /// - Throws: `failed` with a sentence for the operator.
    public static func permissions(decimal: Int) throws(StoreError) -> UInt32? {
        if decimal <= 0 { return nil }
        guard let bits = UInt32(String(decimal), radix: 8), bits <= 0o777 else {
            throw StoreError(
                .failed,
                "filesystem_store_file_perm: \(decimal) is no file mode of up to three octal digits"
            )
        }
        guard bits & 0o400 != 0 else {
            throw StoreError(.failed, "filesystem_store_file_perm: \(decimal) does not let the owner read")
        }
        return bits
    }
}

/// A directory that a file store keeps data in.
public struct DataDirectory: Sendable, Hashable {
    /// Absolute, without a slash at its end.
    public let path: String
    /// The highest with room is written to.
    public let priority: Int

    /// - Throws: `failed` with a sentence for the operator, unless the path is absolute and plain.
    public init(_ path: String, priority: Int = 0) throws(StoreError) {
        guard let plain = FileNames.directory(path) else {
            throw StoreError(.failed, "filesystem_store_datadir: \"\(path)\" is no absolute path of a directory")
        }
        self.path = plain
        self.priority = priority
    }

    /// Reads the values of `filesystem_store_datadirs`: `path` or `path:priority`.
    ///
    /// - Throws: `failed` with a sentence for the operator; also for one path with two priorities.
    public static func list(_ values: [String]) throws(StoreError) -> [DataDirectory] {
        var directories: [DataDirectory] = []
        for value in values {
            let parts = value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let text = parts.count > 1 ? parts[1] : "0"
            guard let path = parts.first, let priority = Int(text) else {
                throw StoreError(.failed, "filesystem_store_datadirs: \"\(value)\" is not path:priority")
            }
            let directory = try DataDirectory(String(path), priority: priority)
            if let twin = directories.first(where: { $0.path == directory.path }) {
                if twin.priority == priority { continue }
                throw StoreError(.failed, "filesystem_store_datadirs: \"\(path)\" has two priorities")
            }
            directories.append(directory)
        }
        guard !directories.isEmpty else { throw StoreError(.failed, "filesystem_store_datadirs: names no directory") }
        return directories
    }

    /// Where attempts keep their temporary names: on the same file system, since publishing is a link.
    var uploads: String { "\(path)/\(FileNames.uploads)" }
}
