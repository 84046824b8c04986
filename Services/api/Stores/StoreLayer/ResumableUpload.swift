public import Digests
public import ImageFormats
internal import NIOCore
internal import Synchronization

/// Data that comes in several requests, in parts that may come at once. The bytes go where they belong; the digests and the
/// inspection follow from the first byte on, and read back what they could not take when it came.
///
/// Memory: ``DigestingUpload/batchesInFlight`` + 1 batches, and two for each request that brings bytes; all of them share a
/// ``BatchBudget``.
public final class ResumableUpload: Sendable {
    private struct State {
        var received: ByteRanges
        var frontier: DataFrontier
        var following: Task<Void, Never>?
        /// Nothing is read ahead of need any more.
        var isClosed = false
    }

    private let data: any PartialData
    private let multihash: DigestAlgorithm
    private let threads: WorkerThreads
    private let budget: BatchBudget
    private let didReadBack: @Sendable (Int64) -> Void
    private let state: Mutex<State>
    private let arrival = Mutex<ContinuousClock.Instant?>(nil)

    /// How many bytes may come before they are made durable.
    public static let checkpointByteCount: Int64 = 64 << 20

    /// - Parameters:
    ///   - received: What earlier requests brought and made durable.
    ///   - expected: Whose digests are going to be asked for at the end, so far as that is known.
    ///   - didReadBack: Told how many bytes had to be read again for the digests.
    public init(
        _ data: any PartialData,
        received: ByteRanges = ByteRanges(),
        multihash: DigestAlgorithm,
        expected: ExpectedDigests = ExpectedDigests(),
        threads: WorkerThreads,
        budget: BatchBudget = BatchBudget(),
        didReadBack: @escaping @Sendable (_ byteCount: Int64) -> Void = { _ in }
    ) {
        self.data = data
        self.didReadBack = didReadBack
        self.multihash = multihash
        self.threads = threads
        self.budget = budget
        let algorithms = Set(expected.values.keys).union([.md5, multihash])
        state = Mutex(State(received: received, frontier: DataFrontier(algorithms, on: threads)))
    }

    public var received: ByteRanges { state.withLock { $0.received } }

    /// When a byte last came, whether or not it was put anywhere yet; `nil` before the first.
    public var lastArrival: ContinuousClock.Instant? { arrival.withLock { $0 } }

    /// Makes durable what has come.
    ///
    /// - Returns: What that is at least.
    public func sync() async throws(StoreError) -> ByteRanges {
        let received = received
        try await data.sync()
        return received
    }

    /// Takes bytes that follow what a part has. One request at a time brings bytes of a part.
    ///
    /// What had come stays when it throws, unless there was a checksum.
    ///
    /// - Parameters:
    ///   - part: Where it lies in the data.
    ///   - checksum: The digest of exactly this body; other bytes are as if they had not come.
    ///   - checkpoint: Called after every ``checkpointByteCount``, to make durable and to record; throws to stop.
    /// - Throws: `tooLarge` for more bytes than the part has; `digestMismatch`; what writing, `body` or `checkpoint` throws.
    public func append(
        _ body: some ChunkSequence,
        to part: Range<Int64>,
        checksum: (algorithm: DigestAlgorithm, digest: Digest)? = nil,
        checkpoint: () async throws -> Void
    ) async throws {
        try await budget.sharing { try await take(body, to: part, checksum, checkpoint) }
    }

    private func take(
        _ body: some ChunkSequence,
        to part: Range<Int64>,
        _ checksum: (algorithm: DigestAlgorithm, digest: Digest)?,
        _ checkpoint: () async throws -> Void
    ) async throws {
        let start = part.lowerBound + received.prefixCount(of: part)
        let lane = checksum.map { DigestLane($0.algorithm, on: threads) }
        let ending = BodyEnding()
        var position = start
        var recorded = start
        let chunks = SalvagedChunks(body, ending) { self.arrival.withLock { $0 = .now } }
        for try await batch in BatchedChunks(chunks, within: budget) {
            let range = position..<position + Int64(batch.readableBytes)
            guard range.upperBound <= part.upperBound else {
                throw StoreError(.tooLarge, "More bytes came than the upload has left")
            }
            lane?.add(batch)
            try await data.write(batch, at: range.lowerBound)
            position = range.upperBound
            if let lane {
                await lane.wait(for: DigestingUpload.batchesInFlight - 1)
                continue
            }
            await add(range, batch)
            if position - recorded >= Self.checkpointByteCount {
                try await checkpoint()
                recorded = position
            }
        }
        // A body that ended early brings what it brought.
        if let failure = ending.failure { throw failure }
        guard let lane, let checksum else { return }
        guard await lane.finish() == checksum.digest else {
            throw StoreError(.digestMismatch, "The bytes are not those of Upload-Checksum: none of them was kept")
        }
        state.withLock { $0.received.insert(start..<position) }
        follow()
    }

    private func add(_ range: Range<Int64>, _ batch: Chunk) async {
        let frontier = state.withLock { state in
            state.received.insert(range)
            return state.frontier
        }
        if await !frontier.offer(batch, at: range.lowerBound) { follow() }
    }

    /// Reads back what lies at the frontier, beside whatever else goes on.
    private func follow() {
        state.withLock { state in
            guard state.following == nil, !state.isClosed, state.frontier.position < state.received.firstGap(from: 0)
            else { return }
            state.following = Task { await catchUp() }
        }
    }

    private func catchUp() async {
        while true {
            let (frontier, end) = state.withLock { state -> (DataFrontier, Int64) in
                let end = state.isClosed ? 0 : state.received.firstGap(from: 0)
                if state.frontier.position >= end { state.following = nil }
                return (state.frontier, end)
            }
            if frontier.position >= end { return }
            do throws(StoreError) {
                try await readBack(to: end, frontier)
            } catch {
                // Whoever finishes the upload reads again, and is told.
                return state.withLock { $0.following = nil }
            }
        }
    }

    private func readBack(to end: Int64, _ frontier: DataFrontier) async throws(StoreError) {
        if let count = try await frontier.advance(to: end, in: data) {
            didReadBack(count)
        } else {
            await Task.yield()
        }
    }

    /// Publishes the data once all of it is there: as ``DigestingUpload`` does, and with the same refusals. Asked again
    /// after a failure it goes on where it was. No request brings bytes meanwhile, and nobody else finishes.
    ///
    /// - Parameters:
    ///   - byteCount: The length of the data, all of which has come.
    ///   - accept: See ``DigestingUpload/run(_:to:at:size:limit:expected:mayStillPublish:accept:admit:)``.
    public func finish(
        byteCount: Int64,
        expected: ExpectedDigests,
        accept: (@Sendable (Inspection) throws -> Int64?)?,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws -> UploadedData {
        await state.withLock { $0.following }?.value
        let frontier = frontier(for: expected, byteCount)
        while frontier.position < byteCount {
            try Task.checkCancellation()
            try await readBack(to: byteCount, frontier)
        }
        var result = await frontier.finish()
        while result == nil {
            await Task.yield()
            result = await frontier.finish()
        }
        guard let (digests, inspection) = result, let checksum = digests[.md5], let value = digests[multihash] else {
            throw StoreError(.failed, "Digests of an upload are missing")
        }
        for (algorithm, digest) in digests { try expected.require(digest, algorithm) }
        let virtualSize = try accept?(inspection)
        let stored = try await data.publish(byteCount: byteCount, mayStillPublish: mayStillPublish)
        return UploadedData(stored: stored, checksum: checksum, multihash: value, virtualSize: virtualSize)
    }

    /// A new one where the data has grown since it was finished, or where other digests are asked for at last.
    private func frontier(for expected: ExpectedDigests, _ byteCount: Int64) -> DataFrontier {
        state.withLock { state in
            let algorithms = state.frontier.algorithms.union(expected.values.keys)
            let hasGrown = state.frontier.isAtEnd && state.frontier.position != byteCount
            if hasGrown || algorithms != state.frontier.algorithms {
                state.frontier = DataFrontier(algorithms, on: threads)
            }
            return state.frontier
        }
    }

    /// Stops whatever goes on beside requests.
    public func close() { state.withLock { $0.isClosed = true } }
}

/// How a body ended, for whoever took what had come of it.
private final class BodyEnding: Sendable {
    private let error = Mutex<(any Error)?>(nil)

    var failure: (any Error)? { error.withLock { $0 } }

    func fail(_ failure: any Error) { error.withLock { $0 = failure } }
}

/// Chunks that just end where their base throws, so that what came before is taken.
private struct SalvagedChunks<Base: ChunkSequence>: AsyncSequence, Sendable {
    typealias Failure = any Error

    private let base: Base
    private let ending: BodyEnding
    private let didArrive: @Sendable () -> Void

    init(_ base: Base, _ ending: BodyEnding, didArrive: @escaping @Sendable () -> Void) {
        self.base = base
        self.ending = ending
        self.didArrive = didArrive
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(base: base.makeAsyncIterator(), ending: ending, didArrive: didArrive)
    }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate var base: Base.AsyncIterator
        fileprivate let ending: BodyEnding
        fileprivate let didArrive: @Sendable () -> Void

        mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Chunk? {
            do {
                let chunk = try await base.next(isolation: actor)
                if let chunk, chunk.readableBytes > 0 { didArrive() }
                return chunk
            } catch {
                ending.fail(error)
                return nil
            }
        }
    }
}
