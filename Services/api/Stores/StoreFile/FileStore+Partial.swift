internal import Glibc
internal import NIOCore
public import StoreLayer

/// The bytes of a resumable upload are in the attempt's temporary file, each where it belongs; holes are what has not come.
extension FileStore: ResumableStore {
    public func beginPartial(_ location: IntendedLocation) async throws(StoreError) -> any PartialData {
        let files = try files(location)
        let file = try await threads.run { () throws(StoreError) in
            let file = try files.begin()
            try file.claim()
            try translating(StoreError.init(writing:)) { () throws(SystemCallError) in
                // The session is recorded by now: after a crash its file must be there.
                try OpenFile.syncDirectory(files.directory.uploads)
            }
            return file
        }
        return PartialFile(file, files, options.permissions, threads)
    }

    public func resumePartial(_ location: IntendedLocation) async throws(StoreError) -> any PartialData {
        let files = try files(location)
        let file = try await threads.run { () throws(StoreError) in
            let file: OpenFile
            do throws(StoreError) {
                file = try translating(StoreError.init(reading:)) { () throws(SystemCallError) in
                    try OpenFile(files.temporary, O_RDWR)
                }
            } catch {
                if error.code == .notFound { try files.directory.requirePresence() }
                throw error
            }
            try file.claim()
            return file
        }
        return PartialFile(file, files, options.permissions, threads)
    }
}

/// An attempt's temporary file, open and locked.
private struct PartialFile: PartialData {
    private let file: OpenFile
    private let files: AttemptFiles
    private let permissions: UInt32?
    private let threads: WorkerThreads

    init(_ file: OpenFile, _ files: AttemptFiles, _ permissions: UInt32?, _ threads: WorkerThreads) {
        self.file = file
        self.files = files
        self.permissions = permissions
        self.threads = threads
    }

    /// Zeros are written as well: what lies there may be of a request that came to nothing.
    func write(_ batch: Chunk, at offset: Int64) async throws(StoreError) {
        let file = file
        try await threads.run { () throws(StoreError) in
            try translating(StoreError.init(writing:)) { () throws(SystemCallError) in
                var failure: SystemCallError?
                batch.withUnsafeReadableBytes { bytes in
                    do throws(SystemCallError) {
                        try file.write(bytes, at: offset)
                    } catch {
                        failure = error
                    }
                }
                if let failure { throw failure }
            }
        }
    }

    func read(_ range: Range<Int64>) async throws(StoreError) -> Chunk {
        let file = file
        return try await threads.run { () throws(StoreError) in try file.chunk(range) }
    }

    func sync() async throws(StoreError) {
        let file = file
        try await threads.run { () throws(StoreError) in
            try translating(StoreError.init(writing:)) { () throws(SystemCallError) in try file.sync() }
        }
    }

    func publish(
        byteCount: Int64,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws(StoreError) -> StoredData {
        let (file, files, permissions) = (file, files, permissions)
        return try await threads.run { () throws(StoreError) in
            let stored = try file.complete(byteCount: byteCount, permissions: permissions)
            // Nobody writes any more, and a discard has to be able to remove what is published.
            file.unlock()
            try files.publish(file, mayStillPublish: mayStillPublish)
            return stored
        }
    }
}

extension OpenFile {
    /// Keeps other processes away as long as the file is open, or until it is published.
    fileprivate func claim() throws(StoreError) {
        do throws(SystemCallError) {
            try lock(patience: .zero)
        } catch {
            guard error.number == EWOULDBLOCK else { throw StoreError(writing: error) }
            throw StoreError(.inUse, "Another process takes this upload's data", cause: error)
        }
    }
}
