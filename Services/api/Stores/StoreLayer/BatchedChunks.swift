public import NIOCore

/// The same bytes in chunks of one length, the last one shorter: many small chunks cost a change of thread each.
///
/// Bytes are copied into batches of their own, since a small chunk may hold on to a large buffer; a chunk that is as long
/// as a batch or longer is passed on in slices. Batches that nobody holds any more are filled again: memory that the system
/// has just given costs more than the copy.
public struct BatchedChunks<Base: ChunkSequence>: AsyncSequence, Sendable {
    public typealias Failure = any Error

    private let base: Base
    private let length: Length

    public init(_ base: Base, of byteCount: Int) {
        precondition(byteCount > 0)
        self.base = base
        length = .fixed(byteCount)
    }

    /// In batches as long as so many uploads as there are may have them; each is as long as it may be when it is begun.
    public init(_ base: Base, within budget: BatchBudget) {
        self.base = base
        length = .shared(budget)
    }

    /// In batches of `byteCount`, but for chunks that have `minimum` bytes at least: those pass as they are, unless smaller
    /// ones were gathered before.
    public init(_ base: Base, of byteCount: Int, passing minimum: Int) {
        precondition(byteCount > 0)
        self.base = base
        length = .atLeast(minimum, byteCount)
    }

    public func makeAsyncIterator() -> Iterator {
        Iterator(base: base.makeAsyncIterator(), length: length)
    }

    fileprivate enum Length {
        case fixed(Int)
        case shared(BatchBudget)
        case atLeast(Int, Int)

        var byteCount: Int {
            switch self {
            case .fixed(let byteCount), .atLeast(_, let byteCount): byteCount
            case .shared(let budget): budget.batchByteCount
            }
        }
    }

    public struct Iterator: AsyncIteratorProtocol {
        private var base: Base.AsyncIterator
        private let length: Length
        /// What has come and did not fit into the batches so far.
        private var rest = Chunk()
        private var isAtEnd = false
        private var spares = SpareChunks(count: DigestingUpload.batchesInFlight + 2)

        fileprivate init(base: Base.AsyncIterator, length: Length) {
            self.base = base
            self.length = length
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Chunk? {
            let byteCount = length.byteCount
            if let whole = passing(byteCount) { return whole }
            var batch = Chunk()
            gather(in: &batch, byteCount)
            while !isAtEnd {
                guard let chunk = try await base.next(isolation: actor) else {
                    isAtEnd = true
                    break
                }
                rest = chunk
                if batch.readableBytes == 0, let whole = passing(byteCount) { return whole }
                gather(in: &batch, byteCount)
                if batch.readableBytes == byteCount {
                    spares.keep(batch)
                    return batch
                }
            }
            return batch.readableBytes > 0 ? batch : nil
        }

        /// The next batch, where what has come is one without being copied.
        private mutating func passing(_ byteCount: Int) -> Chunk? {
            if case .atLeast(let minimum, _) = length, rest.readableBytes >= minimum {
                return rest.readSlice(length: rest.readableBytes)
            }
            return rest.readSlice(length: byteCount)
        }

        /// Moves as much of what has come to a batch as it has room for.
        private mutating func gather(in batch: inout Chunk, _ byteCount: Int) {
            guard rest.readableBytes > 0 else { return }
            if batch.readableBytes == 0 { batch = spares.take(byteCount) }
            let room = byteCount - batch.readableBytes
            if var part = rest.readSlice(length: Swift.min(room, rest.readableBytes)) { batch.writeBuffer(&part) }
            // So that its buffer can be read into again.
            if rest.readableBytes == 0 { rest = Chunk() }
        }
    }
}

/// Buffers that were given away and may be filled again as soon as nobody holds them.
private struct SpareChunks: Sendable {
    let count: Int
    /// The one that was given away the longest ago comes first.
    private var chunks = CircularBuffer<Chunk>()

    init(count: Int) { self.count = count }

    mutating func keep(_ chunk: Chunk) {
        if chunks.count == count { chunks.removeFirst() }
        chunks.append(chunk)
    }

    /// An empty one for so many bytes, and not for many more: an upload's share may have become smaller.
    mutating func take(_ byteCount: Int) -> Chunk {
        while let first = chunks.first, first.capacity < byteCount || first.capacity > 2 * byteCount {
            chunks.removeFirst()
        }
        if var chunk = chunks.popFirst() {
            if chunk.modifyIfUniquelyOwned({ $0.clear() }) != nil { return chunk }
            chunks.prepend(chunk)
        }
        var chunk = Chunk()
        chunk.reserveCapacity(byteCount)
        return chunk
    }
}
