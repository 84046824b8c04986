internal import Glibc
internal import NIOCore
internal import StoreLayer
internal import Synchronization

/// An attempt's temporary file, open and locked.
///
/// A call that takes too long is not waited for, but goes on, and a write that comes to its end late would put old bytes
/// over newer ones. So nothing more is begun until the last such call has ended; and as long as one goes on, the file stays
/// open and locked for it, so that no other process begins anything either.
final class PartialFile: PartialData {
    private struct State {
        var lastCall = 0
        var running: Set<Int> = []
        /// Those that nobody waits for any more.
        var late: Set<Int> = []
    }

    private let file: OpenFile
    private let files: AttemptFiles
    private let options: FileStoreOptions
    private let threads: WorkerThreads
    private let state = Mutex(State())

    init(_ file: OpenFile, _ files: AttemptFiles, _ options: FileStoreOptions, _ threads: WorkerThreads) {
        self.file = file
        self.files = files
        self.options = options
        self.threads = threads
    }

    /// Zeros are written as well: what lies there may be of a request that came to nothing.
    func write(_ batch: Chunk, at offset: Int64) async throws(StoreError) {
        let file = file
        try await call(within: options.timeLimit) { () throws(StoreError) in
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
        return try await call(within: options.timeLimit) { () throws(StoreError) in try file.chunk(range) }
    }

    func sync() async throws(StoreError) {
        let file = file
        try await call(within: options.syncTimeLimit) { () throws(StoreError) in
            try translating(StoreError.init(writing:)) { () throws(SystemCallError) in try file.sync() }
        }
    }

    func publish(
        byteCount: Int64,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws(StoreError) -> StoredData {
        let (file, files, permissions) = (file, files, options.permissions)
        return try await call(within: options.syncTimeLimit) { () throws(StoreError) in
            let stored = try file.complete(byteCount: byteCount, permissions: permissions)
            // Nobody writes any more, and a discard has to be able to remove what is published.
            file.unlock()
            try files.publish(file, mayStillPublish: mayStillPublish)
            return stored
        }
    }

    /// - Throws: what the calls throw; `timedOut` when they take longer, and at once while earlier ones do.
    private func call<Value: Sendable>(
        within limit: Duration?,
        _ calls: @escaping @Sendable () throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let number = state.withLock { state -> Int? in
            guard state.late.isEmpty else { return nil }
            state.lastCall += 1
            state.running.insert(state.lastCall)
            return state.lastCall
        }
        guard let number else { throw StoreError(.timedOut, "The store did not answer in time") }
        let pending = threads.start { () throws(StoreError) in
            defer { self.end(number) }
            return try calls()
        }
        do throws(StoreError) {
            return try await pending.value(within: limit)
        } catch {
            state.withLock { state in
                if state.running.contains(number) { state.late.insert(number) }
            }
            throw error
        }
    }

    private func end(_ number: Int) {
        state.withLock { state in
            state.running.remove(number)
            state.late.remove(number)
        }
    }
}
