public import Digests
public import ImageFormats
internal import NIOCore
internal import Synchronization

/// Takes a body into a store while its MD5 and the multihash are computed beside it, each on a lane of its own, and
/// while it is looked at for what it is.
///
/// The store pulls: it gets batches of ``batchByteCount``, shorter ones where many uploads are under way, and each batch goes
/// to the two lanes before the store gets it, so that the store writes while the lanes compute. A lane that falls behind by
/// ``batchesInFlight`` holds everything up, and so does a slow store. Memory per upload: ``batchesInFlight`` + 2 batches, 2.5
/// MiB, for all of them ``BatchBudget/byteCount``, besides the chunk that the sender is about to give and what the driver
/// buffers.
public struct DigestingUpload: Sendable {
    /// Measured: larger batches, or more of them, buy memory use and no speed.
    public static let batchByteCount = 512 * 1024
    public static let batchesInFlight = 3

    private let multihash: DigestAlgorithm
    private let threads: WorkerThreads
    /// Shared by all uploads.
    public let budget: BatchBudget

    /// - Parameters:
    ///   - multihash: The digest that `os_hash_algo` names.
    ///   - threads: Where digests are computed; shared by all uploads, as many as there are cores and at least two.
    public init(multihash: DigestAlgorithm, threads: WorkerThreads, budget: BatchBudget = BatchBudget()) {
        self.multihash = multihash
        self.threads = threads
        self.budget = budget
    }

    /// Writes `body` and tells its digests.
    ///
    /// When it throws, the attempt has to be discarded.
    ///
    /// - Parameters:
    ///   - size: The length declared, in bytes; `nil` when the sender declared none.
    ///   - limit: The most that an image may have, in bytes (`image_size_cap`).
    ///   - expected: What the sender says that the digests are; other data is not published. Each algorithm beside MD5 and
    ///     the multihash costs a lane of its own.
    ///   - mayStillPublish: See ``Store/write(_:size:body:mayStillPublish:)``.
    ///   - accept: Told what the bytes are, after the last one and before the data is published; answers the size that a
    ///     guest sees, or throws to refuse them. `nil` looks at nothing.
    ///   - admit: Asked with the count of bytes so far before they go on, batch by batch; throws to cut the upload off
    ///     (a storage quota that is used up) and may wait (for room that is being reserved).
    /// - Throws: ``StoreError`` (`sizeMismatch`, `tooLarge`, `digestMismatch`, and the store's own), or what `body`, `accept`
    ///   or `admit` throws.
    public func run(
        _ body: some ChunkSequence,
        to store: any Store,
        at location: IntendedLocation,
        size: Int64?,
        limit: Int64?,
        expected: ExpectedDigests = ExpectedDigests(),
        mayStillPublish: @escaping @Sendable () -> Bool,
        accept: (@Sendable (Inspection) throws -> Int64?)? = nil,
        admit: @escaping @Sendable (_ byteCount: Int64) async throws -> Void = { _ in }
    ) async throws -> UploadedData {
        if let size, let limit, size > limit {
            throw StoreError(.tooLarge, "The incoming image is too large: \(size) bytes, the limit is \(limit) bytes")
        }
        let tee = Tee(
            lanes: DigestLanes(multihash: multihash, expected: expected, on: threads),
            accept: accept,
            admit: admit
        )
        let sized = SizedChunks(body, size: size, limit: limit)
        let batches = BatchedChunks(sized, within: budget)
        let stored = try await budget.sharing {
            try await store.write(
                location,
                size: size,
                body: TeedChunks(base: batches, tee: tee),
                mayStillPublish: mayStillPublish
            )
        }
        guard stored.byteCount == tee.byteCount else {
            throw StoreError(
                .failed,
                "Size mismatch: expected \(tee.byteCount) bytes, got \(stored.byteCount) bytes in the store"
            )
        }
        let digests = await tee.lanes.finish()
        return UploadedData(
            stored: stored,
            checksum: digests.checksum,
            multihash: digests.multihash,
            virtualSize: tee.virtualSize
        )
    }
}

/// What an upload came to.
public struct UploadedData: Sendable, Hashable {
    public var stored: StoredData
    /// MD5, the Image API's `checksum`.
    public var checksum: Digest
    /// The Image API's `os_hash_value`.
    public var multihash: Digest
    /// The size that a guest sees, in bytes, where the data tells.
    public var virtualSize: Int64?

    public init(stored: StoredData, checksum: Digest, multihash: Digest, virtualSize: Int64? = nil) {
        self.stored = stored
        self.checksum = checksum
        self.multihash = multihash
        self.virtualSize = virtualSize
    }
}

/// Gives each batch to the lanes and to the inspector, and counts.
private final class Tee: Sendable {
    let lanes: DigestLanes
    private let admit: @Sendable (Int64) async throws -> Void
    private let accept: (@Sendable (Inspection) throws -> Int64?)?
    private let count = Atomic<Int64>(0)
    private let inspection: Mutex<(inspector: ImageInspector, virtualSize: Int64?)>

    init(
        lanes: DigestLanes,
        accept: (@Sendable (Inspection) throws -> Int64?)?,
        admit: @escaping @Sendable (Int64) async throws -> Void
    ) {
        self.lanes = lanes
        self.accept = accept
        self.admit = admit
        self.inspection = Mutex((ImageInspector(), nil))
    }

    var virtualSize: Int64? { inspection.withLock { $0.virtualSize } }

    var byteCount: Int64 { count.load(ordering: .relaxed) }

    func pass(_ batch: Chunk) async throws {
        let total = count.add(Int64(batch.readableBytes), ordering: .relaxed).newValue
        try await admit(total)
        lanes.add(batch)
        if accept != nil {
            // Copies a header and an end: too little work for a lane.
            inspection.withLock { inspection in batch.withUnsafeReadableBytes { inspection.inspector.update($0) } }
        }
        await lanes.wait(for: DigestingUpload.batchesInFlight - 1)
    }

    /// The end of the body: the store publishes nothing unless this returns.
    func end() async throws {
        // Without expectations the lanes go on while the store makes the data durable.
        try await lanes.requireExpected()
        guard let accept else { return }
        let found = inspection.withLock { $0.inspector.finish() }
        let size = try accept(found)
        inspection.withLock { $0.virtualSize = size }
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
            guard let batch = try await base.next(isolation: actor) else {
                try await tee.end()
                return nil
            }
            try await tee.pass(batch)
            return batch
        }
    }
}
