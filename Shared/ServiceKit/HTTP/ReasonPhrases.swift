internal import NIOCore
internal import NIOHTTP1

/// Writes the reason phrases that the Image API is known by where the HTTP library has newer ones of its own, and replaces
/// whatever it is given (Image API v2, "Errors"). Stands right behind the encoder.
final class ReasonPhrases: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private static let phrases: [UInt: String] = [
        413: "Request Entity Too Large",
        414: "Request-URI Too Long",
        416: "Request Range Not Satisfiable",
    ]

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = unwrapOutboundIn(data), let phrase = Self.phrases[head.status.code] else {
            return context.write(data, promise: promise)
        }
        head.status = .custom(code: head.status.code, reasonPhrase: phrase)
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }
}
