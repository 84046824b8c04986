internal import Digests
internal import ImageFormats
internal import NIOCore
internal import Synchronization

/// How far the digests and the inspection of data have come that does not arrive in order: they take every byte once, from
/// the first on, either when it comes or later, from where it was put.
///
/// One feeder at a time. Who comes meanwhile goes on without having fed, and the bytes are read back later.
final class DataFrontier: Sendable {
    private struct State {
        var position: Int64 = 0
        /// Somebody feeds, or nobody may any more.
        var isBusy = false
        var isAtEnd = false
        var inspector = ImageInspector()
        var digests: [DigestAlgorithm: Digest]?
    }

    private let lanes: [DigestAlgorithm: DigestLane]
    private let state = Mutex(State())

    init(_ algorithms: Set<DigestAlgorithm>, on threads: WorkerThreads) {
        lanes = Dictionary(uniqueKeysWithValues: algorithms.map { ($0, DigestLane($0, on: threads)) })
    }

    var position: Int64 { state.withLock { $0.position } }
    var isAtEnd: Bool { state.withLock { $0.isAtEnd } }
    var algorithms: Set<DigestAlgorithm> { Set(lanes.keys) }

    /// Takes bytes that have just come, if they are the next ones.
    ///
    /// - Returns: Whether they were.
    func offer(_ batch: Chunk, at offset: Int64) async -> Bool {
        guard acquire(at: offset) else { return false }
        await take(batch)
        return true
    }

    /// Takes the next bytes from where they were put, one batch at most.
    ///
    /// - Parameter end: Up to where there are bytes.
    /// - Returns: How many there were; `nil` where somebody else feeds.
    func advance(to end: Int64, in data: any PartialData) async throws(StoreError) -> Int64? {
        guard let start = acquire() else { return nil }
        guard start < end else {
            release()
            return 0
        }
        let range = start..<min(end, start + Int64(DigestingUpload.batchByteCount))
        do throws(StoreError) {
            await take(try await data.read(range))
        } catch {
            release()
            throw error
        }
        return range.upperBound - range.lowerBound
    }

    /// The digests of all that was taken; nothing more is. May be asked again.
    ///
    /// - Returns: `nil` where somebody feeds.
    func finish() async -> (digests: [DigestAlgorithm: Digest], inspection: Inspection)? {
        let isMine = state.withLock { state in
            if state.isAtEnd { return state.digests != nil }
            if state.isBusy { return false }
            state.isBusy = true
            state.isAtEnd = true
            return true
        }
        guard isMine else { return nil }
        var inspector = state.withLock { $0.inspector }
        let inspection = inspector.finish()
        if let digests = state.withLock({ $0.digests }) { return (digests, inspection) }
        var digests: [DigestAlgorithm: Digest] = [:]
        for (algorithm, lane) in lanes { digests[algorithm] = await lane.finish() }
        let result = digests
        state.withLock { $0.digests = result }
        return (result, inspection)
    }

    private func take(_ batch: Chunk) async {
        for lane in lanes.values { lane.add(batch) }
        state.withLock { state in
            // Copies a header and an end: too little work for a lane.
            batch.withUnsafeReadableBytes { state.inspector.update($0) }
        }
        for lane in lanes.values { await lane.wait(for: DigestingUpload.batchesInFlight - 1) }
        state.withLock { state in
            state.position += Int64(batch.readableBytes)
            state.isBusy = false
        }
    }

    private func acquire(at offset: Int64) -> Bool {
        state.withLock { state in
            guard !state.isBusy, state.position == offset else { return false }
            state.isBusy = true
            return true
        }
    }

    private func acquire() -> Int64? {
        state.withLock { state in
            guard !state.isBusy else { return nil }
            state.isBusy = true
            return state.position
        }
    }

    private func release() { state.withLock { $0.isBusy = false } }
}
