public import Digests

/// The digests of data that is in a store, or wherever a store reads from.
public struct DataDigests: Sendable, Hashable {
    /// MD5, the Image API's `checksum`.
    public var checksum: Digest
    /// The Image API's `os_hash_value`.
    public var multihash: Digest

    /// Reads all of it once, with a bounded number of batches in memory, and computes off the runtime's threads.
    ///
    /// - Parameter admit: Asked before each batch; throws to stop.
    /// - Throws: what reading or `admit` throws.
    public static func of(
        _ blob: any Blob,
        multihash algorithm: DigestAlgorithm,
        on threads: WorkerThreads,
        admit: @Sendable () throws -> Void = {}
    ) async throws -> DataDigests {
        let checksum = DigestLane(.md5, on: threads)
        let multihash = DigestLane(algorithm, on: threads)
        for try await batch in blob.chunks(of: DigestingUpload.batchByteCount) {
            try admit()
            checksum.add(batch)
            multihash.add(batch)
            await checksum.wait(for: DigestingUpload.batchesInFlight - 1)
            await multihash.wait(for: DigestingUpload.batchesInFlight - 1)
        }
        return await DataDigests(checksum: checksum.finish(), multihash: multihash.finish())
    }
}
