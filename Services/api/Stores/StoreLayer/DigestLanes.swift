internal import Digests
internal import Synchronization

/// All digests of one upload, each on a lane of its own: MD5, the multihash, and whatever else its sender expects.
final class DigestLanes: Sendable {
    private let checksum: DigestLane
    private let multihash: DigestLane
    private let multihashAlgorithm: DigestAlgorithm
    private let others: [(algorithm: DigestAlgorithm, lane: DigestLane)]
    private let expected: ExpectedDigests
    private let result = Mutex<DataDigests?>(nil)

    init(multihash algorithm: DigestAlgorithm, expected: ExpectedDigests, on threads: WorkerThreads) {
        checksum = DigestLane(.md5, on: threads)
        multihash = DigestLane(algorithm, on: threads)
        multihashAlgorithm = algorithm
        others = expected.values.keys.filter { $0 != .md5 && $0 != algorithm }.sorted { $0.rawValue < $1.rawValue }
            .map { ($0, DigestLane($0, on: threads)) }
        self.expected = expected
    }

    /// Takes a batch without waiting: the feeder calls ``wait(for:)`` before the next.
    func add(_ batch: Chunk) {
        checksum.add(batch)
        multihash.add(batch)
        for other in others { other.lane.add(batch) }
    }

    /// Suspends until no lane holds more than `count` batches. For one feeder.
    func wait(for count: Int) async {
        await checksum.wait(for: count)
        await multihash.wait(for: count)
        for other in others { await other.lane.wait(for: count) }
    }

    /// Compares with what is expected, at the end of the data; where nothing is, it does not wait for that end.
    ///
    /// - Throws: `digestMismatch`.
    func requireExpected() async throws(StoreError) {
        guard !expected.isEmpty else { return }
        let digests = await finish()
        try expected.require(digests.checksum, .md5)
        try expected.require(digests.multihash, multihashAlgorithm)
        for other in others { try expected.require(await other.lane.finish(), other.algorithm) }
    }

    /// The digests of all that was added; the lanes end here. May be asked again.
    func finish() async -> DataDigests {
        if let known = result.withLock({ $0 }) { return known }
        let digests = await DataDigests(checksum: checksum.finish(), multihash: multihash.finish())
        result.withLock { $0 = digests }
        return digests
    }
}
