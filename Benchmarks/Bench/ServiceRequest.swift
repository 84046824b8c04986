internal import NIOCore
internal import NIOHTTP1

/// One request, made before the clock starts, and what answer counts as a success.
struct ServiceRequest: Sendable {
    var head: HTTPRequestHead
    var body: Body = .none
    var expectedStatus: UInt
    /// Length that the answer's body must have.
    var expectedByteCount: Int64?
    /// Whether the whole answer is kept (up to 32 MiB) instead of being counted and thrown away.
    var keepsAnswer = false
    /// The image that it makes, fills or removes.
    var image: String?

    enum Body: Sendable {
        case none
        case bytes(ByteBuffer)
        /// The block again and again, until so many bytes are sent.
        case repeated(ByteBuffer, byteCount: Int64)

        var byteCount: Int64 {
            switch self {
            case .none: 0
            case .bytes(let buffer): Int64(buffer.readableBytes)
            case .repeated(_, let byteCount): byteCount
            }
        }
    }

    /// Sending it twice does what sending it once does, so it may be sent again when a kept-alive connection turns out
    /// to be closed (RFC 9112 §9.3.1).
    var mayRepeat: Bool { head.method == .GET || head.method == .DELETE }
}
