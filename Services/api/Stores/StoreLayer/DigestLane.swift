internal import Digests
internal import NIOCore
internal import Synchronization

/// One digest under way on worker threads, behind its feeder by a bounded number of batches.
///
/// One thread at a time works for a lane, batch by batch, so that many lanes share few threads fairly. A lane never waits
/// for anything but a thread; it needs no cancelling, and one that nobody feeds any more goes away.
final class DigestLane: Sendable {
    private struct State {
        /// The first one is being worked on.
        var batches = CircularBuffer<Chunk>()
        var feeder: (patience: Int, continuation: CheckedContinuation<Void, Never>)?
    }

    private let stream: DigestStream
    private let threads: WorkerThreads
    private let state = Mutex(State())

    init(_ algorithm: DigestAlgorithm, on threads: WorkerThreads) {
        self.stream = DigestStream(algorithm)
        self.threads = threads
    }

    /// Takes a batch without waiting: the feeder calls ``wait(for:)`` before the next.
    func add(_ batch: Chunk) {
        let isIdle = state.withLock { state in
            state.batches.append(batch)
            return state.batches.count == 1
        }
        if isIdle { threads.submit { self.step() } }
    }

    /// Suspends until no more than `count` batches are held. For one feeder.
    func wait(for count: Int) async {
        await withCheckedContinuation { continuation in
            let isReached = state.withLock { state in
                if state.batches.count <= count { return true }
                precondition(state.feeder == nil, "one feeder")
                state.feeder = (count, continuation)
                return false
            }
            if isReached { continuation.resume() }
        }
    }

    /// The digest of all that was added; the lane ends here.
    func finish() async -> Digest {
        await wait(for: 0)
        return stream.finish()
    }

    private func step() {
        guard let batch = state.withLock({ $0.batches.first }) else { return }
        batch.withUnsafeReadableBytes { stream.update($0) }
        let (hasMore, feeder) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            state.batches.removeFirst()
            guard let feeder = state.feeder, state.batches.count <= feeder.patience else {
                return (!state.batches.isEmpty, nil)
            }
            state.feeder = nil
            return (!state.batches.isEmpty, feeder.continuation)
        }
        if hasMore { threads.submit { self.step() } }
        feeder?.resume()
    }
}
