public import StoreLayer
internal import StoreLayout
public import WireJSON

/// Keeps data as files: `<datadir>/<image id>`, as glance_store's filesystem driver does, so that either reads what the
/// other wrote.
///
/// Unlike that driver it gives a file its final name only when it is complete and durable, and never over another;
/// ``AttemptFiles`` has the rules. The directories may be shared by many processes and machines, on any file system that
/// has `link` and `flock`.
public struct FileStore: Store {
    public let identifier: String
    public let capabilities: StoreCapabilities = [.read, .readRanges, .write, .delete, .localFiles]
    public let options: FileStoreOptions
    public var details: StoreDetails {
        StoreDetails(
            type: "file",
            properties: [
                .init("data_dir", .text(options.directories.map(\.path).joined(separator: ","))),
                .init("chunk_size", .number(options.blockByteCount)),
                .init("thin_provisioning", .flag(options.isThin)),
            ]
        )
    }
    let threads: WorkerThreads

    /// - Parameter threads: Where all calls to the system are made, for they block. This store's own: a file system that
    ///   hangs holds them all.
    public init(_ identifier: String, _ options: FileStoreOptions, threads: WorkerThreads) {
        self.identifier = identifier
        self.options = options
        self.threads = threads
    }

    /// Creates the directories where they are missing, and tries whether data can be kept there. To be called before
    /// anything else.
    ///
    /// - Throws: `failed` with a sentence for the operator, which names the directory.
    public func prepare() async throws(StoreError) {
        let options = options
        try await call { () throws(StoreError) in
            for directory in options.directories {
                try translating({ error in
                    StoreError(
                        .failed,
                        "filesystem_store_datadir \(directory.path) cannot be used: \(error)",
                        cause: error
                    )
                }) { () throws(SystemCallError) in
                    try directory.prepare(permissions: options.permissions)
                }
            }
        }
    }

    public func recognizes(_ url: String) -> Bool { file(url) != nil }

    public func metadata(of url: String) -> JSONObject {
        file(url).map { options.mountPoints.metadata(of: $0.directory) } ?? [:]
    }

    public func intend(_ object: String, attempt: String, size: Int64?) async throws(StoreError) -> IntendedLocation {
        guard FileNames.isObject(object), FileNames.isAttempt(attempt) else { throw .invalidLocation }
        let directory = try await directory(for: size ?? 0)
        return IntendedLocation(url: "file://\(directory.path)/\(object)", object: object, attempt: attempt)
    }

    public func confirm(_ location: IntendedLocation) async throws(StoreError) {
        let files = try files(location)
        try await call { () throws(StoreError) in try files.confirm() }
    }

    public func discard(_ location: IntendedLocation) async throws(StoreError) {
        let files = try files(location)
        let patience = options.lockPatience
        try await call { () throws(StoreError) in try files.discard(patience: patience) }
    }

    public func open(_ url: String, range: Range<Int64>?) async throws(StoreError) -> any Blob {
        guard let (directory, object) = file(url) else { throw .invalidLocation }
        let threads = threads
        let limit = options.timeLimit
        return try await call { () throws(StoreError) in
            let (file, status): (OpenFile, FileStatus)
            do throws(StoreError) {
                (file, status) = try directory.open(object, StoreError.init(reading:))
            } catch {
                // A directory that is not mounted holds nothing, which does not mean that the data is gone.
                if error.code == .notFound { try directory.requirePresence() }
                throw error
            }
            return try FileBlob(
                file,
                totalByteCount: status.byteCount,
                range: range,
                threads: threads,
                timeLimit: limit
            )
        }
    }

    public func delete(_ url: String, identity: String?) async throws(StoreError) {
        guard let (directory, object) = file(url) else { throw .invalidLocation }
        let patience = options.lockPatience
        try await call { () throws(StoreError) in
            try directory.delete(object, identity: identity, patience: patience)
        }
    }

    public func leftovers() async throws(StoreError) -> [IntendedLocation] {
        let directories = options.directories
        let names = try await call { () throws(StoreError) in
            try directories.map { directory throws(StoreError) in
                let names = try translating(StoreError.init(reading:)) { () throws(SystemCallError) in
                    try directory.attempts()
                }
                return (directory, names)
            }
        }
        return names.flatMap { directory, names in names.compactMap { Self.attempt($0, in: directory) } }
    }

    /// Makes calls to the system, and waits no longer than the operator would.
    func call<Value: Sendable>(
        _ calls: @escaping @Sendable () throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        try await threads.run(within: options.timeLimit, calls)
    }

    /// The directory of the highest priority that has room, the emptiest of these.
    private func directory(for byteCount: Int64) async throws(StoreError) -> DataDirectory {
        let directories = options.directories
        if directories.count == 1 { return directories[0] }
        return try await call { () throws(StoreError) in
            var best: (directory: DataDirectory, free: Int64)?
            var failure: StoreError?
            for directory in directories {
                do throws(SystemCallError) {
                    let free = try directory.freeByteCount()
                    guard free > 0, free >= byteCount else { continue }
                    if let best, (best.directory.priority, best.free) >= (directory.priority, free) { continue }
                    best = (directory, free)
                } catch {
                    // One that is away must not keep the others from being used.
                    failure = StoreError(writing: error)
                }
            }
            if let best { return best.directory }
            throw failure ?? StoreError(.full, "Image storage media is full")
        }
    }
}

/// Names and locations.
extension FileStore {
    /// The file that a location means: directly in one of this store's directories, and one that can be an object's.
    func file(_ url: String) -> (directory: DataDirectory, object: String)? {
        guard let (path, object) = FileNames.file(url),
            let directory = options.directories.first(where: { $0.path == path })
        else { return nil }
        return (directory, object)
    }

    /// The names of an attempt, whose location may have been through a database and another process.
    func files(_ location: IntendedLocation) throws(StoreError) -> AttemptFiles {
        guard let (directory, object) = file(location.url), object == location.object,
            FileNames.isAttempt(location.attempt)
        else { throw .invalidLocation }
        return AttemptFiles(directory: directory, object: object, attempt: location.attempt)
    }

    /// `nil` for a name that no attempt has.
    private static func attempt(_ name: String, in directory: DataDirectory) -> IntendedLocation? {
        guard let (object, attempt) = FileNames.attempt(name) else { return nil }
        return IntendedLocation(url: "file://\(directory.path)/\(object)", object: object, attempt: attempt)
    }
}
