internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import RegistryContract

/// One answer from a registry.
struct RegistryAnswer: Sendable {
    var status: Int
    /// The versions that the registry speaks, as `oldest-current`.
    var versions: String?
    /// What the registry took, where it says so.
    var times: RegistryTimes?
    var body: [UInt8]
    /// Whether the connection serves further exchanges; not where the registry is about to stop.
    var keepsAlive = true
}

/// Why an exchange came to nothing. The registry may or may not have acted.
enum RegistryConnectionError: Error {
    case closed, timedOut, answerTooLarge, tooManyWaiting
    /// No connection could be had: nothing was sent.
    case notReached(any Error)
}

/// One keep-alive connection with one exchange at a time. Lives on its event loop.
final class RegistryConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// A page of a thousand large records is a few MiB.
    static let answerLimit = 64 << 20

    private struct Exchange {
        var promise: EventLoopPromise<RegistryAnswer>
        var timeout: Scheduled<Void>
        var answer = RegistryAnswer(status: 0, versions: nil, body: [])
    }

    private var exchange: Exchange?
    private var context: ChannelHandlerContext?
    private(set) var isUsable = true
    /// When the connection went idle.
    var idleSince = NIODeadline.now()

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Sends a request, and with it how long its answer is waited for.
    func send(_ head: HTTPRequestHead, _ body: ByteBuffer, until deadline: NIODeadline) -> EventLoopFuture<
        RegistryAnswer
    > {
        guard let context, isUsable, exchange == nil else {
            preconditionFailure("a connection is given out while it is not usable")
        }
        let promise = context.eventLoop.makePromise(of: RegistryAnswer.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let scheduled = context.eventLoop.scheduleTask(deadline: deadline) {
            bound.value.fail(RegistryConnectionError.timedOut)
        }
        exchange = Exchange(promise: promise, timeout: scheduled)
        var head = head
        head.headers.add(name: RegistryProtocol.Header.patience, value: String(Self.patience(until: deadline)))
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        return promise.futureResult
    }

    /// What the registry is told, in milliseconds: less than is left, so that its answer is here before we go.
    static func patience(until deadline: NIODeadline) -> Int64 {
        let left = max(0, (deadline - .now()).nanoseconds / 1_000_000)
        return left - min(200, left / 10)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard exchange != nil else { return fail(RegistryConnectionError.closed) }
        switch unwrapInboundIn(data) {
        case .head(let head):
            exchange?.answer.status = Int(head.status.code)
            exchange?.answer.versions = head.headers.first(name: "glance-protocol")
            exchange?.answer.times = head.headers.first(name: RegistryProtocol.Header.times)
                .flatMap { RegistryTimes(headerValue: $0) }
            exchange?.answer.keepsAlive = head.isKeepAlive
        case .body(let buffer):
            exchange?.answer.body.append(contentsOf: buffer.readableBytesView)
            if (exchange?.answer.body.count ?? 0) > Self.answerLimit { fail(RegistryConnectionError.answerTooLarge) }
        case .end:
            guard let done = exchange else { return }
            exchange = nil
            done.timeout.cancel()
            if !done.answer.keepsAlive {
                isUsable = false
                context.close(promise: nil)
            }
            done.promise.succeed(done.answer)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(RegistryConnectionError.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error) }

    func close() { fail(RegistryConnectionError.closed) }

    private func fail(_ error: any Error) {
        isUsable = false
        let failed = exchange
        exchange = nil
        failed?.timeout.cancel()
        context?.close(promise: nil)
        failed?.promise.fail(error)
    }
}
