import NIOCore
import StoreLayer
import Synchronization

/// A body made up while it is read.
struct Body: AsyncSequence, Sendable {
    typealias Failure = any Error

    /// Gives the chunk of an index; `nil` ends the body.
    let chunk: @Sendable (_ index: Int) async throws -> Chunk?

    init(_ chunk: @escaping @Sendable (_ index: Int) async throws -> Chunk?) { self.chunk = chunk }

    /// A body of what is there, in chunks of the given lengths over and over.
    init(_ bytes: Chunk, lengths: [Int] = [70_001, 1, 262_144]) {
        let parts = Mutex<(rest: Chunk, offsets: [Int])>((bytes, [0]))
        self.init { index in
            parts.withLock { parts in
                while parts.offsets.count <= index {
                    parts.offsets.append(
                        parts.offsets[parts.offsets.count - 1] + lengths[(parts.offsets.count - 1) % lengths.count]
                    )
                }
                let start = parts.offsets[index]
                let length = Swift.min(lengths[index % lengths.count], parts.rest.readableBytes - start)
                return length <= 0 ? nil : parts.rest.getSlice(at: start, length: length)
            }
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(chunk: chunk) }

    struct Iterator: AsyncIteratorProtocol {
        let chunk: @Sendable (Int) async throws -> Chunk?
        var index = 0

        mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Chunk? {
            defer { index += 1 }
            return try await chunk(index)
        }
    }
}

/// Bytes that differ at every offset and for every seed, so that a misplaced block shows.
func pattern(_ byteCount: Int, seed: Int = 0) -> Chunk {
    guard let slice = allPatterns.getSlice(at: seed * 8, length: byteCount) else { preconditionFailure("too long") }
    return slice
}

/// Multiples of the golden ratio, eight bytes each, the lowest first. Made once: it takes a while without optimization.
private let allPatterns = Chunk(
    bytes: [UInt64](unsafeUninitializedCapacity: 500_000) { words, count in
        for word in 0..<words.count { words[word] = (UInt64(word) &* 0x9E37_79B9_7F4A_7C15).littleEndian }
        count = words.count
    }.withUnsafeBytes { Array($0) }
)

/// A door that is shut until somebody opens it.
final class Gate: Sendable {
    private enum State {
        case shut([CheckedContinuation<Void, Never>])
        case open
    }

    private let state = Mutex(State.shut([]))

    func open() {
        let waiting: [CheckedContinuation<Void, Never>] = state.withLock { state in
            defer { state = .open }
            guard case .shut(let waiting) = state else { return [] }
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                guard case .shut(let waiting) = state else { return true }
                state = .shut(waiting + [continuation])
                return false
            }
            if isOpen { continuation.resume() }
        }
    }

    var isOpen: Bool {
        state.withLock { state in
            if case .open = state { true } else { false }
        }
    }
}

extension Store {
    /// Writes an object the short way.
    @discardableResult
    func put(
        _ bytes: Chunk,
        _ object: String = "object",
        attempt: String = "1",
        isConfirmed: Bool = true
    ) async throws -> (location: IntendedLocation, stored: StoredData) {
        let location = try await intend(object, attempt: attempt, size: Int64(bytes.readableBytes))
        let stored = try await write(location, size: nil, body: Body(bytes), mayStillPublish: { true })
        if isConfirmed { try await confirm(location) }
        return (location, stored)
    }

    func get(_ url: String, range: Range<Int64>? = nil, chunkByteCount: Int = 100_000) async throws -> Chunk {
        let blob = try await open(url, range: range)
        defer { blob.close() }
        var bytes = Chunk()
        func collect(_ chunks: some ChunkSequence) async throws {
            for try await var chunk in chunks { bytes.writeBuffer(&chunk) }
        }
        try await collect(blob.chunks(of: chunkByteCount))
        return bytes
    }
}
