public import NIOCore

/// Chunks that throw rather than be more or fewer than they should, or end because their reader was cancelled.
public struct SizedChunks<Base: ChunkSequence>: AsyncSequence, Sendable {
    public typealias Failure = any Error

    private let base: Base
    private let size: Int64?
    private let limit: Int64?

    /// - Parameters:
    ///   - size: The length declared, in bytes. More is `sizeMismatch` as soon as it comes, less at the end.
    ///   - limit: The most that an image may have, in bytes (`image_size_cap`); more is `tooLarge` as soon as it comes.
    public init(_ base: Base, size: Int64?, limit: Int64?) {
        self.base = base
        self.size = size
        self.limit = limit
    }

    public func makeAsyncIterator() -> Iterator {
        Iterator(base: base.makeAsyncIterator(), size: size, limit: limit)
    }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate var base: Base.AsyncIterator
        fileprivate let size: Int64?
        fileprivate let limit: Int64?
        private var count: Int64 = 0

        fileprivate init(base: Base.AsyncIterator, size: Int64?, limit: Int64?) {
            self.base = base
            self.size = size
            self.limit = limit
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Chunk? {
            let chunk = try await base.next(isolation: actor)
            // Many a sequence just ends when its reader is cancelled; a part must not pass for the whole.
            try Task.checkCancellation()
            guard let chunk else {
                if let size, count < size {
                    throw StoreError(.sizeMismatch, "Size mismatch: expected \(size) bytes, got \(count) bytes")
                }
                return nil
            }
            count += Int64(chunk.readableBytes)
            if let limit, count > limit {
                throw StoreError(.tooLarge, "The incoming image is too large: more than \(limit) bytes")
            }
            if let size, count > size {
                throw StoreError(.sizeMismatch, "Size exceeds: expected \(size) bytes, got \(count) bytes")
            }
            return chunk
        }
    }
}
