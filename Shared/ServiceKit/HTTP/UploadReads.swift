internal import NIOCore
internal import Synchronization

/// How much one read from a socket brings while bodies are uploaded: much where few connections upload, since small reads
/// cost most of a transfer's time, and the less the more there are, so that what waits in all of them together is bounded.
final class UploadReads: Sendable {
    /// Bytes that one round of reads may bring on all connections; a connection holds up to two or three rounds.
    static let byteCount = 16 << 20
    static let longest = 256 << 10
    static let shortest = 32 << 10
    /// Reads in a round.
    static let count = 4

    private let connections = Atomic<Int>(0)

    func begin() { connections.add(1, ordering: .relaxed) }

    func end() { connections.subtract(1, ordering: .relaxed) }

    /// A power of two.
    var readByteCount: Int {
        let share = Self.byteCount / max(1, connections.load(ordering: .relaxed)) / Self.count
        var length = Self.longest
        while length > share, length > Self.shortest { length /= 2 }
        return length
    }
}

/// Buffers as long as all uploads together allow at the time.
struct UploadReadAllocator: RecvByteBufferAllocator {
    let reads: UploadReads

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: reads.readByteCount) }

    func nextBufferSize() -> Int? { reads.readByteCount }

    func record(actualReadBytes: Int) -> Bool { false }
}
