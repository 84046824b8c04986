internal import Synchronization

/// How long the batches of uploads are: long where few are under way, which spares changes of thread, and the shorter the
/// more there are, so that all of them together hold a bounded amount of memory.
public final class BatchBudget: Sendable {
    /// Bytes in batches, of all uploads of a process.
    public static let byteCount = 48 << 20
    /// The shortest batch that is worth a change of thread: beyond 150 uploads their number decides.
    public static let shortest = 64 << 10

    private let uploads = Atomic<Int>(0)

    public init() {}

    /// How long a batch is now: a power of two, so that batches begin at a multiple of ``shortest``.
    public var batchByteCount: Int {
        let share = Self.byteCount / max(1, uploads.load(ordering: .relaxed)) / (DigestingUpload.batchesInFlight + 2)
        var length = DigestingUpload.batchByteCount
        while length > share, length > Self.shortest { length /= 2 }
        return length
    }

    /// Counts an upload among those under way while `work` lasts.
    public func sharing<Value>(
        isolation: isolated (any Actor)? = #isolation,
        _ work: () async throws -> Value
    ) async throws -> Value {
        uploads.add(1, ordering: .relaxed)
        defer { uploads.subtract(1, ordering: .relaxed) }
        return try await work()
    }
}
