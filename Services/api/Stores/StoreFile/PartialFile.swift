internal import Glibc
internal import NIOCore
internal import StoreLayer
internal import Synchronization

/// An attempt's temporary file, open and locked.
///
/// What has the final name is never written to. Only who has the lock writes, and only before the name is given; only who has
/// the lock gives it, when no write goes on and none will be begun; and who takes the lock after that finds it given.
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
        var writing: Set<Int> = []
        /// The data is as long as it will ever be, and nothing of it is replaced.
        var isSealed: Bool

        /// - Throws: what stands against a call of this kind.
        mutating func begin(_ kind: CallKind) throws(StoreError) -> Int {
            guard late.isEmpty else { throw StoreError(.timedOut, "The store did not answer in time") }
            switch kind {
            case .looks: break
            case .writes:
                guard !isSealed else {
                    throw StoreError(.inUse, "The upload is being finished and takes no more bytes.")
                }
            case .publishes:
                guard writing.isEmpty else { throw StoreError(.inUse, "Bytes of this upload are still on their way.") }
                isSealed = true
            }
            lastCall += 1
            running.insert(lastCall)
            if kind == .writes { writing.insert(lastCall) }
            return lastCall
        }

        mutating func end(_ number: Int) {
            running.remove(number)
            late.remove(number)
            writing.remove(number)
        }
    }

    private enum CallKind {
        case looks, writes, publishes
    }

    private let file: OpenFile
    private let files: AttemptFiles
    private let options: FileStoreOptions
    private let threads: WorkerThreads
    private let state: Mutex<State>

    /// - Parameter isPublished: An earlier process gave the file its final name.
    init(
        _ file: OpenFile,
        _ files: AttemptFiles,
        _ options: FileStoreOptions,
        _ threads: WorkerThreads,
        isPublished: Bool
    ) {
        self.file = file
        self.files = files
        self.options = options
        self.threads = threads
        state = Mutex(State(isSealed: isPublished))
    }

    /// Zeros are written as well: what lies there may be of a request that came to nothing.
    func write(_ batch: Chunk, at offset: Int64) async throws(StoreError) {
        let file = file
        try await call(.writes, within: options.timeLimit) { () throws(StoreError) in
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
        return try await call(.looks, within: options.timeLimit) { () throws(StoreError) in try file.chunk(range) }
    }

    func sync() async throws(StoreError) {
        let file = file
        try await call(.looks, within: options.syncTimeLimit) { () throws(StoreError) in
            try translating(StoreError.init(writing:)) { () throws(SystemCallError) in try file.sync() }
        }
    }

    func publish(
        byteCount: Int64,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws(StoreError) -> StoredData {
        let (file, files, permissions) = (file, files, options.permissions)
        return try await call(.publishes, within: options.syncTimeLimit) { () throws(StoreError) in
            try files.requireUnpublished(file, unlessOf: byteCount)
            let stored = try file.complete(byteCount: byteCount, permissions: permissions)
            // A discard has to be able to remove what is published; without the name the file is still ours alone.
            defer { if files.isPublished(file) { file.unlock() } }
            try files.publish(file, mayStillPublish: mayStillPublish)
            return stored
        }
    }

    /// - Throws: what the calls throw; `timedOut` when they take longer, and at once while earlier ones do; `inUse` for a write
    ///   after publishing was begun, and for publishing while one goes on.
    private func call<Value: Sendable>(
        _ kind: CallKind,
        within limit: Duration?,
        _ calls: @escaping @Sendable () throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let number = try state.withLock { state throws(StoreError) in try state.begin(kind) }
        let pending = threads.start { () throws(StoreError) in
            defer { self.state.withLock { $0.end(number) } }
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
}

extension AttemptFiles {
    /// What is published keeps its length.
    fileprivate func requireUnpublished(_ file: OpenFile, unlessOf byteCount: Int64) throws(StoreError) {
        let isFit = try translating(StoreError.init(reading:)) { () throws(SystemCallError) in
            if try file.status().byteCount == byteCount { return true }
            return try !hasFinalName(file)
        }
        guard isFit else { throw StoreError(.sizeMismatch, "The data was published with another length") }
    }
}
