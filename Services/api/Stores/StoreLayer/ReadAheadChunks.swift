public import NIOCore
internal import Synchronization

/// Chunks that are read before they are asked for: while a reader is busy with one, the next are on their way. For stores
/// whose data comes over a network, where every chunk costs a wait; local files are sent by the system, or read ahead by
/// their own driver.
///
/// Reading begins with the first question, stays a fixed number of chunks ahead, and ends with the iterator: once nobody
/// refers to it any more, or its reader is cancelled, the base is cancelled and let go of.
public struct ReadAheadChunks<Base: ChunkSequence>: AsyncSequence, Sendable {
    public typealias Failure = any Error

    private let base: Base
    private let limit: Int

    /// - Parameter limit: How many chunks are held besides the one that the reader has, the one being read included.
    public init(_ base: Base, limit: Int) {
        precondition(limit > 0)
        self.base = base
        self.limit = limit
    }

    public func makeAsyncIterator() -> Iterator { Iterator(base: base, limit: limit) }

    public struct Iterator: AsyncIteratorProtocol {
        private let base: Base
        private let limit: Int
        private var reading: Reading?

        fileprivate init(base: Base, limit: Int) {
            self.base = base
            self.limit = limit
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Chunk? {
            try Task.checkCancellation()
            let current = reading ?? Reading(base, limit: limit)
            reading = current
            return try await current.chunk()
        }
    }

    /// Ends what reads for an iterator, together with it.
    private final class Reading: Sendable {
        private let queue: ChunkQueue
        private let task: Task<Void, Never>

        init(_ base: Base, limit: Int) {
            let queue = ChunkQueue(limit: limit)
            self.queue = queue
            // Unstructured, for it goes on between the questions; whoever asks holds this, which ends it.
            task = Task {
                do {
                    var iterator = base.makeAsyncIterator()
                    while await queue.hasRoom() {
                        guard let chunk = try await iterator.next(isolation: nil) else { break }
                        queue.put(chunk)
                    }
                    queue.end(.success(nil))
                } catch {
                    queue.end(.failure(error))
                }
            }
        }

        deinit { stop() }

        func chunk() async throws -> Chunk? {
            try await withTaskCancellationHandler {
                try await queue.take()
            } onCancel: {
                stop()
            }
        }

        private func stop() {
            queue.stop()
            task.cancel()
        }
    }
}

/// Chunks between one who reads them ahead and one who takes them.
private final class ChunkQueue: Sendable {
    private struct State {
        var chunks = CircularBuffer<Chunk>()
        /// What comes behind the chunks.
        var end: Result<Chunk?, any Error>?
        var isStopped = false
        var taker: CheckedContinuation<Result<Chunk?, any Error>, Never>?
        var feeder: CheckedContinuation<Bool, Never>?
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    /// Suspends until one more may be read; `false` when nobody wants any.
    func hasRoom() async -> Bool {
        await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> Bool? in
                if state.isStopped { return false }
                if state.chunks.count < limit { return true }
                state.feeder = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    func put(_ chunk: Chunk) {
        let taker = state.withLock { state -> CheckedContinuation<Result<Chunk?, any Error>, Never>? in
            if let taker = state.taker.take() { return taker }
            if !state.isStopped { state.chunks.append(chunk) }
            return nil
        }
        taker?.resume(returning: .success(chunk))
    }

    func end(_ end: Result<Chunk?, any Error>) {
        let taker = state.withLock { state in
            if state.end == nil { state.end = end }
            return state.taker.take()
        }
        taker?.resume(returning: end)
    }

    /// Lets go of all chunks; whoever waits is told so.
    func stop() {
        let (taker, feeder) = state.withLock { state in
            state.isStopped = true
            state.chunks = CircularBuffer()
            state.end = .failure(CancellationError())
            return (state.taker.take(), state.feeder.take())
        }
        taker?.resume(returning: .failure(CancellationError()))
        feeder?.resume(returning: false)
    }

    func take() async throws -> Chunk? {
        let result = await withCheckedContinuation { continuation in
            let (result, feeder) = state.withLock {
                state -> (Result<Chunk?, any Error>?, CheckedContinuation<Bool, Never>?) in
                if let chunk = state.chunks.popFirst() { return (.success(chunk), state.feeder.take()) }
                if let end = state.end { return (end, nil) }
                precondition(state.taker == nil, "one reader")
                state.taker = continuation
                return (nil, nil)
            }
            feeder?.resume(returning: true)
            if let result { continuation.resume(returning: result) }
        }
        return try result.get()
    }
}
