import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// An answer with its body read to the end.
struct CollectedResponse {
    var status: HTTPResponse.Status
    var headers: HTTPFields
    var body: String
}

extension Response {
    func collected() async throws -> CollectedResponse {
        let bytes = CollectedBytes()
        try await body.write(BodyCollector(bytes: bytes))
        return CollectedResponse(status: status, headers: headers, body: bytes.text)
    }
}

private final class CollectedBytes: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }

    func append(_ buffer: ByteBuffer) { bytes.withLock { $0 += buffer.readableBytesView } }
}

private struct BodyCollector: ResponseBodyWriter {
    let bytes: CollectedBytes

    mutating func write(_ buffer: ByteBuffer) async throws { bytes.append(buffer) }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
