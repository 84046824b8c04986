internal import NIOCore
internal import NIOHTTP1

/// Closes a connection behind the answer where its client expects that, however it says so: `Connection: close` in any
/// case and among others, or HTTP/1.0, which is not kept alive here and cannot read chunks (RFC 9112 §9.3, §7). The
/// application knows one way to be told, `close`; the answer repeats it. Stands right behind the codec.
final class ConnectionEnds: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private struct Ending {
        var isLast: Bool
        var isOld: Bool
    }

    /// Of the requests that are not answered yet: with pipelining there may be several.
    private var endings = CircularBuffer<Ending>()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        let isOld = head.version == .http1_0 || head.version == .http0_9
        let isLast = isOld || !head.isKeepAlive
        endings.append(Ending(isLast: isLast, isOld: isOld))
        guard isLast else { return context.fireChannelRead(data) }
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where endings.first?.isLast == true && head.status.code >= 200:
            if endings[endings.startIndex].isOld { head.version = .http1_0 }
            head.headers.replaceOrAdd(name: "Connection", value: "close")
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            _ = endings.popFirst()
            context.write(data, promise: promise)
        default: context.write(data, promise: promise)
        }
    }
}
