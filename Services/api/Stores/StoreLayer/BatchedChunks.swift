public import NIOCore

/// The same bytes in chunks of one length, the last one shorter: many small chunks cost a change of thread each.
///
/// Bytes are copied into batches of their own, since a small chunk may hold on to a large buffer; a chunk that is as long
/// as a batch or longer is passed on in slices.
public struct BatchedChunks<Base: ChunkSequence>: AsyncSequence, Sendable {
    public typealias Failure = any Error

    private let base: Base
    private let byteCount: Int

    public init(_ base: Base, of byteCount: Int) {
        precondition(byteCount > 0)
        self.base = base
        self.byteCount = byteCount
    }

    public func makeAsyncIterator() -> Iterator {
        Iterator(base: base.makeAsyncIterator(), byteCount: byteCount)
    }

    public struct Iterator: AsyncIteratorProtocol {
        private var base: Base.AsyncIterator
        private let byteCount: Int
        /// What has come and did not fit into the batches so far.
        private var rest = Chunk()
        private var isAtEnd = false

        fileprivate init(base: Base.AsyncIterator, byteCount: Int) {
            self.base = base
            self.byteCount = byteCount
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Chunk? {
            if let whole = rest.readSlice(length: byteCount) { return whole }
            var batch = Chunk()
            batch.reserveCapacity(byteCount)
            batch.writeBuffer(&rest)
            while !isAtEnd {
                guard let chunk = try await base.next(isolation: actor) else {
                    isAtEnd = true
                    break
                }
                rest = chunk
                if batch.readableBytes == 0, let whole = rest.readSlice(length: byteCount) { return whole }
                let room = byteCount - batch.readableBytes
                if var part = rest.readSlice(length: Swift.min(room, rest.readableBytes)) { batch.writeBuffer(&part) }
                if batch.readableBytes == byteCount { return batch }
            }
            return batch.readableBytes > 0 ? batch : nil
        }
    }
}
