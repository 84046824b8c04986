internal import NIOCore
internal import StoreLayer

/// Data whose chunks are each admitted before they are given on: to slow them down, or to stop.
struct AdmittedBlob: Blob {
    let base: any Blob
    /// Is told the chunk's length in bytes; throws to stop.
    let admit: @Sendable (Int) async throws -> Void

    var totalByteCount: Int64 { base.totalByteCount }
    var range: Range<Int64> { base.range }
    var localFile: LocalFile? { nil }

    func chunks(of byteCount: Int) -> any ChunkSequence { admitted(base.chunks(of: byteCount)) }

    private func admitted(_ chunks: some ChunkSequence) -> any ChunkSequence {
        AdmittedChunks(base: chunks, admit: admit)
    }

    func close() { base.close() }
}

private struct AdmittedChunks<Base: ChunkSequence>: AsyncSequence, Sendable {
    typealias Failure = any Error

    let base: Base
    let admit: @Sendable (Int) async throws -> Void

    func makeAsyncIterator() -> Iterator { Iterator(base: base.makeAsyncIterator(), admit: admit) }

    struct Iterator: AsyncIteratorProtocol {
        var base: Base.AsyncIterator
        let admit: @Sendable (Int) async throws -> Void

        mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Chunk? {
            guard let chunk = try await base.next(isolation: actor) else { return nil }
            try await admit(chunk.readableBytes)
            return chunk
        }
    }
}
