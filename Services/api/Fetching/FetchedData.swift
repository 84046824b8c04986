internal import AsyncHTTPClient
public import NIOCore
internal import NIOHTTP1

/// Data at the other end of a connection: its length, and its bytes as they come.
public struct FetchedData: Sendable {
    /// Length of the data as a whole.
    public let totalByteCount: Int64
    /// The bytes that ``bytes`` gives.
    public let range: Range<Int64>
    /// Bytes that come before those wanted, from a source that cannot begin elsewhere.
    private let skipped: Int64
    private let session: FetchSession
    private let body: HTTPClientResponse.Body

    init(
        _ answer: HTTPClientResponse,
        session: FetchSession,
        isHead: Bool,
        asked: Range<Int64>?
    ) throws(FetchError) {
        let length = answer.headers.first(name: "content-length").flatMap { Int64($0) }
        switch answer.status.code {
        case 200:
            guard let length, length >= 0 else { throw FetchError(.badAnswer, "The source tells no length.") }
            totalByteCount = length
            range = 0..<length
            skipped = 0
        case 206 where asked != nil && !isHead:
            guard let header = answer.headers.first(name: "content-range"),
                let content = Self.contentRange(header)
            else { throw FetchError(.badAnswer, "The source does not tell which part it sends.") }
            guard content.range == asked else {
                // What is wanted beyond the end is left out without a word (RFC 9110 §14.1.2).
                guard let asked, content.total < asked.upperBound else {
                    throw FetchError(.badAnswer, "The source sends another part than the one asked for.")
                }
                throw FetchError(.tooShort, "The source has fewer bytes than were wanted.")
            }
            totalByteCount = content.total
            range = content.range
            skipped = 0
        case 404: throw FetchError(.notFound, "The source has no such data.")
        case 416 where asked != nil: throw FetchError(.tooShort, "The source has fewer bytes than were wanted.")
        case 429, 500...:
            throw FetchError(
                answer.status.code == 501 ? .badAnswer : .unavailable,
                "The source cannot answer now.",
                cause: UnexpectedStatus(code: answer.status.code)
            )
        default:
            throw FetchError(
                .badAnswer,
                "The source answers with status \(answer.status.code).",
                cause: UnexpectedStatus(code: answer.status.code)
            )
        }
        self.session = session
        body = answer.body
    }

    private init(_ data: FetchedData, _ part: Range<Int64>) {
        totalByteCount = data.totalByteCount
        range = part
        skipped = data.skipped + (part.lowerBound - data.range.lowerBound)
        session = data.session
        body = data.body
    }

    /// A part of what comes; the rest is left out.
    func part(_ part: Range<Int64>) -> FetchedData { FetchedData(self, part) }

    /// Ends the connection. Idempotent.
    public func close() { session.close() }

    /// The bytes of ``range``, as they come and no faster than they are taken; throws ``FetchError`` where the source stops
    /// early.
    public var bytes: Bytes { Bytes(data: self) }

    public struct Bytes: AsyncSequence, Sendable {
        public typealias Failure = any Error

        fileprivate let data: FetchedData

        public func makeAsyncIterator() -> Iterator { Iterator(data: data) }

        public struct Iterator: AsyncIteratorProtocol {
            /// Keeps the connection open as long as it is read from.
            private let data: FetchedData
            private var base: HTTPClientResponse.Body.AsyncIterator
            private var toSkip: Int64
            private var toGive: Int64

            fileprivate init(data: FetchedData) {
                self.data = data
                base = data.body.makeAsyncIterator()
                toSkip = data.skipped
                toGive = Int64(data.range.count)
            }

            public mutating func next() async throws -> ByteBuffer? {
                while toGive > 0 {
                    guard var chunk = try await nextChunk() else {
                        throw FetchError(.unavailable, "The source stopped before the end of the data.")
                    }
                    let dropped = Int(Swift.min(toSkip, Int64(chunk.readableBytes)))
                    chunk.moveReaderIndex(forwardBy: dropped)
                    toSkip -= Int64(dropped)
                    let count = Int(Swift.min(toGive, Int64(chunk.readableBytes)))
                    guard count > 0, let given = chunk.readSlice(length: count) else { continue }
                    toGive -= Int64(count)
                    return given
                }
                return nil
            }

            private mutating func nextChunk() async throws -> ByteBuffer? {
                do {
                    return try await base.next()
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    throw FetchError(.unavailable, "The source stopped before the end of the data.", cause: error)
                }
            }
        }
    }

    /// `bytes 0-4/9` (RFC 9110 §14.4).
    private static func contentRange(_ header: String) -> (range: Range<Int64>, total: Int64)? {
        guard header.lowercased().hasPrefix("bytes ") else { return nil }
        let parts = header.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let total = Int64(parts[1]) else { return nil }
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first >= 0, first <= last, last < total else {
            return nil
        }
        return (first..<last + 1, total)
    }
}
