internal import NIOCore
internal import NIOHTTP1

/// The end of a client connection's pipeline: one request and its answer at a time, then the next.
///
/// Belongs to its channel's event loop, as everything that calls it does.
final class ExchangeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private static let keptByteCount = 32 << 20
    private static let keptErrorByteCount = 300
    /// Writes of a body before others on this event loop get a turn.
    private static let burst = 16

    private struct Exchange {
        let request: ServiceRequest
        let deadline: NIODeadline
        let completion: (Outcome) -> Void
        /// What is still to be sent of a repeated body.
        var unsentByteCount: Int64 = 0
        var outcome = Outcome()
        var kept = ByteBuffer()
        var keepsAlive = true
    }

    private var context: ChannelHandlerContext?
    private var exchange: Exchange?
    private var isSending = false

    /// Whether the connection is there for another exchange.
    var isReady: Bool { exchange == nil && context?.channel.isActive == true }

    /// The completion is called once, on the event loop. The connection must be ready.
    func send(_ request: ServiceRequest, deadline: NIODeadline, completion: @escaping (Outcome) -> Void) {
        guard let context, exchange == nil else {
            return completion(Outcome(failure: .closed))
        }
        var exchange = Exchange(request: request, deadline: deadline, completion: completion)
        context.write(wrapOutboundOut(.head(request.head)), promise: nil)
        switch request.body {
        case .none:
            self.exchange = exchange
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        case .bytes(let buffer):
            self.exchange = exchange
            context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        case .repeated(_, let byteCount):
            exchange.unsentByteCount = byteCount
            self.exchange = exchange
            sendBody()
        }
    }

    /// Ends an exchange that has lasted too long, or the one under way if the program is to stop.
    func abandon(at now: NIODeadline) {
        guard let exchange else { return }
        if now >= exchange.deadline {
            fail(.timedOut)
        } else if Interruption.isRequested {
            fail(.interrupted)
        }
    }

    func close() {
        context?.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            exchange?.outcome.status = head.status.code
            exchange?.keepsAlive = head.isKeepAlive
        case .body(let buffer):
            receive(buffer)
        case .end:
            end()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { sendBody() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        fail(.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(error is HTTPParserError || error is NIOHTTPDecoderError ? .malformed : .closed)
        context.close(promise: nil)
    }

    /// As much of a repeated body as the connection takes; its writability calls again.
    private func sendBody() {
        guard !isSending, let context, case .repeated(let block, _)? = exchange?.request.body else { return }
        isSending = true
        defer { isSending = false }
        var turns = 0
        while let unsent = exchange?.unsentByteCount, unsent > 0, context.channel.isWritable {
            guard turns < Self.burst else {
                context.eventLoop.assumeIsolated().execute { self.sendBody() }
                return
            }
            turns += 1
            var part = block
            if Int64(part.readableBytes) > unsent { part.moveWriterIndex(to: part.readerIndex + Int(unsent)) }
            exchange?.unsentByteCount -= Int64(part.readableBytes)
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(part))), promise: nil)
            if exchange?.unsentByteCount == 0 { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
        }
    }

    private func receive(_ buffer: ByteBuffer) {
        guard let exchange else { return }
        self.exchange?.outcome.byteCount += Int64(buffer.readableBytes)
        let isError = (exchange.outcome.status ?? 0) >= 400
        let limit = exchange.request.keepsAnswer ? Self.keptByteCount : isError ? Self.keptErrorByteCount : 0
        let count = min(buffer.readableBytes, limit - exchange.kept.readableBytes)
        if count > 0, let part = buffer.getSlice(at: buffer.readerIndex, length: count) {
            self.exchange?.kept.writeImmutableBuffer(part)
        }
    }

    private func end() {
        guard let exchange else { return }
        // An answer before the end of the request leaves the connection in the middle of a body.
        let isReusable = exchange.keepsAlive && exchange.unsentByteCount == 0
        finish(exchange, closing: !isReusable)
    }

    private func fail(_ failure: Outcome.Failure) {
        guard var exchange else { return }
        exchange.outcome.failure = failure
        finish(exchange, closing: true)
    }

    private func finish(_ exchange: Exchange, closing: Bool) {
        self.exchange = nil
        if closing {
            let context = context
            self.context = nil
            context?.close(promise: nil)
        }
        var outcome = exchange.outcome
        outcome.text = String(buffer: exchange.kept)
        exchange.completion(outcome)
    }
}
