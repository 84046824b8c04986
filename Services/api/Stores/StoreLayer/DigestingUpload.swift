public import Digests
internal import NIOCore
internal import Synchronization

/// Takes a body into a store while its MD5 and the multihash are computed beside it, each on a lane of its own.
///
/// The store pulls: it gets batches of ``batchByteCount`` and each batch goes to the two lanes before the store gets it, so
/// that the store writes while the lanes compute. A lane that falls behind by ``batchesInFlight`` holds everything up, and
/// so does a slow store. Memory per upload: ``batchesInFlight`` + 1 batches, 2 MiB, besides the chunk that the sender is
/// about to give and what the driver buffers.
public struct DigestingUpload: Sendable {
    /// Measured: larger batches, or more of them, buy memory use and no speed.
    public static let batchByteCount = 512 * 1024
    public static let batchesInFlight = 3

    private let multihash: DigestAlgorithm
    private let threads: WorkerThreads

    /// - Parameters:
    ///   - multihash: The digest that `os_hash_algo` names.
    ///   - threads: Where digests are computed; shared by all uploads, as many as there are cores and at least two.
    public init(multihash: DigestAlgorithm, threads: WorkerThreads) {
        self.multihash = multihash
        self.threads = threads
    }

    /// Writes `body` and tells its digests.
    ///
    /// When it throws, the attempt has to be discarded.
    ///
    /// - Parameters:
    ///   - size: The length declared, in bytes; `nil` when the sender declared none.
    ///   - limit: The most that an image may have, in bytes (`image_size_cap`).
    ///   - mayStillPublish: See ``Store/write(_:size:body:mayStillPublish:)``.
    ///   - admit: Asked with the count of bytes so far before they go on, batch by batch; throws to cut the upload off
    ///     (a storage quota that is used up) and may wait (for room that is being reserved).
    /// - Throws: ``StoreError`` (`sizeMismatch`, `tooLarge`, and the store's own), or what `body` or `admit` throws.
    public func run(
        _ body: some ChunkSequence,
        to store: any Store,
        at location: IntendedLocation,
        size: Int64?,
        limit: Int64?,
        mayStillPublish: @escaping @Sendable () -> Bool,
        admit: @escaping @Sendable (_ byteCount: Int64) async throws -> Void = { _ in }
    ) async throws -> UploadedData {
        if let size, let limit, size > limit {
            throw StoreError(.tooLarge, "The incoming image is too large: \(size) bytes, the limit is \(limit) bytes")
        }
        let tee = Tee(
            checksum: DigestLane(.md5, on: threads),
            multihash: DigestLane(multihash, on: threads),
            admit: admit
        )
        let sized = SizedChunks(body, size: size, limit: limit)
        let batches = BatchedChunks(sized, of: Self.batchByteCount)
        let stored = try await store.write(
            location,
            size: size,
            body: TeedChunks(base: batches, tee: tee),
            mayStillPublish: mayStillPublish
        )
        guard stored.byteCount == tee.byteCount else {
            throw StoreError(
                .failed,
                "Size mismatch: expected \(tee.byteCount) bytes, got \(stored.byteCount) bytes in the store"
            )
        }
        return await UploadedData(stored: stored, checksum: tee.checksum.finish(), multihash: tee.multihash.finish())
    }
}

/// What an upload came to.
public struct UploadedData: Sendable, Hashable {
    public var stored: StoredData
    /// MD5, the Image API's `checksum`.
    public var checksum: Digest
    /// The Image API's `os_hash_value`.
    public var multihash: Digest

    public init(stored: StoredData, checksum: Digest, multihash: Digest) {
        self.stored = stored
        self.checksum = checksum
        self.multihash = multihash
    }
}

/// Gives each batch to the lanes, and counts.
private final class Tee: Sendable {
    let checksum: DigestLane
    let multihash: DigestLane
    private let admit: @Sendable (Int64) async throws -> Void
    private let count = Atomic<Int64>(0)

    init(checksum: DigestLane, multihash: DigestLane, admit: @escaping @Sendable (Int64) async throws -> Void) {
        self.checksum = checksum
        self.multihash = multihash
        self.admit = admit
    }

    var byteCount: Int64 { count.load(ordering: .relaxed) }

    func pass(_ batch: Chunk) async throws {
        let total = count.add(Int64(batch.readableBytes), ordering: .relaxed).newValue
        try await admit(total)
        checksum.add(batch)
        multihash.add(batch)
        await checksum.wait(for: DigestingUpload.batchesInFlight - 1)
        await multihash.wait(for: DigestingUpload.batchesInFlight - 1)
    }
}

private struct TeedChunks<Base: ChunkSequence>: AsyncSequence, Sendable {
    typealias Failure = any Error

    let base: Base
    let tee: Tee

    func makeAsyncIterator() -> Iterator { Iterator(base: base.makeAsyncIterator(), tee: tee) }

    struct Iterator: AsyncIteratorProtocol {
        var base: Base.AsyncIterator
        let tee: Tee

        mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Chunk? {
            guard let batch = try await base.next(isolation: actor) else { return nil }
            try await tee.pass(batch)
            return batch
        }
    }
}
