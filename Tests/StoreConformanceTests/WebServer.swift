import NIOCore
import NIOHTTP1
import NIOPosix

/// A web server of one test, on the loopback interface.
struct WebServer: Sendable {
    struct Request: Sendable {
        var method: HTTPMethod
        var path: String
        var headers: HTTPHeaders
    }

    struct Answer: Sendable {
        var status: HTTPResponseStatus = .ok
        var headers: HTTPHeaders = [:]
        var body = ByteBuffer()
        /// What the answer promises; the connection ends behind the body where that is something else.
        var length: Int?
        /// Whether a length is told at all.
        var tellsLength = true
        /// Nothing is answered until it is open.
        var gate: Gate?
        /// Told of bytes that the connection took, a piece at a time; without it the body goes in one.
        var sent: Counter?
    }

    /// Data as a server with ranges has it.
    static func serving(_ bytes: ByteBuffer, to request: Request) -> Answer {
        guard let header = request.headers.first(name: "range") else { return Answer(body: bytes) }
        let ends = header.dropFirst("bytes=".count).split(separator: "-").compactMap { Int($0) }
        guard ends.count == 2, ends[0] < bytes.readableBytes else { return Answer(status: .rangeNotSatisfiable) }
        let last = min(ends[1], bytes.readableBytes - 1)
        return Answer(
            status: .partialContent,
            headers: ["content-range": "bytes \(ends[0])-\(last)/\(bytes.readableBytes)"],
            body: bytes.getSlice(at: ends[0], length: last - ends[0] + 1) ?? ByteBuffer()
        )
    }

    typealias Answering = @Sendable (Request) -> Answer

    let port: Int
    private let channel: any Channel

    static func with<Result>(
        _ answering: @escaping Answering,
        _ body: (WebServer) async throws -> Result
    ) async throws -> Result {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(answering))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = WebServer(port: channel.localAddress?.port ?? 0, channel: channel)
        do {
            let result = try await body(server)
            try await channel.close()
            return result
        } catch {
            try await channel.close()
            throw error
        }
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let answering: Answering

        init(_ answering: @escaping Answering) { self.answering = answering }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let head) = unwrapInboundIn(data) else { return }
            let answer = answering(Request(method: head.method, path: head.uri, headers: head.headers))
            guard let gate = answer.gate else { return send(answer, to: head, context) }
            let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
            context.eventLoop.makeFutureWithTask { await gate.pass() }.whenSuccess {
                bound.value.handler.send(answer, to: head, bound.value.context)
            }
        }

        private func send(_ answer: Answer, to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
            var headers = answer.headers
            if answer.tellsLength {
                headers.add(name: "content-length", value: String(answer.length ?? answer.body.readableBytes))
            }
            let response = HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers)
            context.write(wrapOutboundOut(.head(response)), promise: nil)
            if head.method != .HEAD { sendBody(of: answer, context) }
            guard answer.length == nil || head.method == .HEAD else {
                context.flush()
                context.close(promise: nil)
                return
            }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        private func sendBody(of answer: Answer, _ context: ChannelHandlerContext) {
            guard let sent = answer.sent else {
                return context.write(wrapOutboundOut(.body(.byteBuffer(answer.body))), promise: nil)
            }
            var rest = answer.body
            while let piece = rest.readSlice(length: min(65_536, rest.readableBytes)), piece.readableBytes > 0 {
                let promise = context.eventLoop.makePromise(of: Void.self)
                promise.futureResult.whenSuccess { sent.add(piece.readableBytes) }
                context.write(wrapOutboundOut(.body(.byteBuffer(piece))), promise: promise)
            }
        }
    }
}

/// A server that takes connections and says nothing.
struct SilentServer: Sendable {
    let port: Int
    private let channel: any Channel

    static func bind() async throws -> SilentServer {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        return SilentServer(port: channel.localAddress?.port ?? 0, channel: channel)
    }

    func close() async throws { try await channel.close() }
}
