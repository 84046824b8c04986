import Glibc
import ServiceKit
import StoreLayout

/// A directory in which the API keeps data as files.
struct StorePlace: Hashable {
    /// Absolute, without a slash at its end.
    var path: String
    /// Whether it is this node's staging directory rather than a store's.
    var isStaging = false

    /// The directories of all file stores of an API's configuration, its staging directory among them.
    ///
    /// - Throws: a sentence for values that the API would not start with.
    static func all(in configuration: ServiceConfiguration) throws -> [StorePlace] {
        var places: [StorePlace] = []
        func add(_ path: String, isStaging: Bool = false) throws {
            guard let path = FileNames.directory(path) else {
                throw ProgramFailure("filesystem_store_datadir: \"\(path)\" is no absolute path of a directory")
            }
            guard !places.contains(where: { $0.path == path }) else { return }
            places.append(StorePlace(path: path, isStaging: isStaging))
        }
        let backends = try configuration.value(of: StoreDirectoryOptions.enabled)
        guard !backends.isEmpty else {
            for path in try directories(of: "glance_store", in: configuration) { try add(path) }
            let uri = try configuration.value(of: StoreDirectoryOptions.staging)
            guard uri.hasPrefix("file://") else {
                throw configuration.refusal(of: StoreDirectoryOptions.staging, because: "a file:// URI is expected")
            }
            try add(String(uri.dropFirst("file://".count)), isStaging: true)
            return places
        }
        for backend in backends where backend.value == "file" {
            for path in try directories(of: backend.key, in: configuration) { try add(path) }
        }
        for identifier in [StagingName.identifier, "os_glance_tasks_store"] {
            let path = try StoreDirectoryOptions.reservedDirectory(identifier, in: configuration)
            try add(path, isStaging: identifier == StagingName.identifier)
        }
        return places
    }

    private static func directories(of section: String, in configuration: ServiceConfiguration) throws -> [String] {
        let several = try configuration.value(of: StoreDirectoryOptions.directories, ofStore: section)
        guard several.isEmpty else { return several.map { String($0.prefix { $0 != ":" }) } }
        return [try configuration.value(of: StoreDirectoryOptions.directory, ofStore: section)]
    }

    var isThere: Bool {
        var status = stat()
        return stat(path, &status) == 0
    }
}

/// What is known of a file without opening it.
struct FileFacts: Equatable {
    var inode: UInt64
    var byteCount: Int64
    var modified: Int
    var kind: Kind

    /// A store keeps its data in plain files, and in nothing else.
    enum Kind { case file, directory, link, other }

    /// - Returns: `nil` when nothing has that name.
    /// - Throws: a sentence when that cannot be known.
    static func of(_ path: String) throws -> FileFacts? {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw ProgramFailure("\(path): cannot be looked at: \(String(cString: strerror(errno)))")
        }
        let kind: Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .link
            default: .other
            }
        return FileFacts(
            inode: UInt64(status.st_ino),
            byteCount: Int64(status.st_size),
            modified: status.st_mtim.tv_sec,
            kind: kind
        )
    }
}

/// The names in a directory, some at a time, in no order.
final class DirectoryNames {
    private let path: String
    private let stream: OpaquePointer?

    /// A directory that is not there has no names.
    init(_ path: String) throws {
        self.path = path
        stream = opendir(path)
        guard stream != nil || errno == ENOENT else {
            throw ProgramFailure("\(path): cannot be read: \(String(cString: strerror(errno)))")
        }
    }

    deinit { if let stream { closedir(stream) } }

    /// - Returns: none at the end.
    func next(_ count: Int) throws -> [String] {
        var names: [String] = []
        while names.count < count, let stream {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else {
                    throw ProgramFailure("\(path): cannot be read: \(String(cString: strerror(errno)))")
                }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
