internal import Fetching
internal import StoreLayer
internal import Synchronization

/// Data on its way from a web server. Its bytes come once: ``chunks(of:)`` is for one reader.
///
/// The connection ends when neither the blob nor a reader holds the data any more.
final class HTTPBlob: Blob {
    let totalByteCount: Int64
    let range: Range<Int64>
    let localFile: LocalFile? = nil
    private let data: Mutex<FetchedData?>

    init(_ data: FetchedData) {
        totalByteCount = data.totalByteCount
        range = data.range
        self.data = Mutex(data)
    }

    /// The source sends the next of these while a client takes the last.
    private static let chunksAhead = 2

    func chunks(of byteCount: Int) -> any ChunkSequence {
        ReadAheadChunks(
            BatchedChunks(FetchedChunks(data: data.withLock { $0 }), of: byteCount),
            limit: Self.chunksAhead
        )
    }

    func close() { data.withLock { $0 = nil } }
}

private struct FetchedChunks: AsyncSequence, Sendable {
    typealias Failure = any Error

    let data: FetchedData?

    func makeAsyncIterator() -> Iterator { Iterator(base: data?.bytes.makeAsyncIterator()) }

    struct Iterator: AsyncIteratorProtocol {
        /// `nil` when the blob was closed before anybody read.
        var base: FetchedData.Bytes.Iterator?

        mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Chunk? {
            guard base != nil else { throw StoreError(.failed, "Image data was closed") }
            return try await base?.next(isolation: actor)
        }
    }
}
