import HTTPTypes
import ImageModel
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing
import WireJSON

@testable import Identity

/// A server on a free port of this machine that answers as a test says, and remembers what it was asked.
final class ScriptedKeystone: Sendable {
    struct Question: Sendable {
        var line: String
        var headers: HTTPHeaders
        var body: String
    }

    struct Answer: Sendable {
        var status = 200
        var headers: [(String, String)] = []
        var body = ""
        /// Nothing is sent before this.
        var after: EventLoopFuture<Void>?
        /// Before the head.
        var delay = TimeAmount.zero
        /// Closes the connection instead of answering.
        var breaks = false
        /// Sends a head, and a byte of the body now and then for ever.
        var trickles = false
    }

    typealias Script = @Sendable (Question) -> Answer

    private let channel: any Channel
    private let script: Mutex<Script>
    private let questions = Mutex<[Question]>([])
    /// The questions that have no answer yet.
    let unanswered = Tally()

    var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }
    var all: [Question] { questions.withLock { $0 } }
    func asked(_ line: String) -> Int { all.filter { $0.line.hasPrefix(line) }.count }
    func answer(_ new: @escaping Script) { script.withLock { $0 = new } }

    init(_ script: @escaping Script = { Keystone.answer($0) }) async throws {
        let hook = Hook(unanswered)
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 2048)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(hook))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.script = Mutex(script)
        hook.owner.withLock { $0 = { [weak self] question in self?.take(question) ?? Answer(breaks: true) } }
    }

    /// Also for connections that are open.
    func close() async throws {
        answer { _ in Answer(breaks: true) }
        try await channel.close()
    }

    private func take(_ question: Question) -> Answer {
        questions.withLock { $0.append(question) }
        return script.withLock { $0 }(question)
    }

    private final class Hook: Sendable {
        let owner = Mutex<Script>({ _ in Answer(breaks: true) })
        let unanswered: Tally

        init(_ unanswered: Tally) { self.unanswered = unanswered }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let hook: Hook
        private var question: Question?

        init(_ hook: Hook) { self.hook = hook }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                question = Question(line: "\(head.method) \(head.uri)", headers: head.headers, body: "")
            case .body(let bytes): question?.body += String(buffer: bytes)
            case .end:
                guard let question else { return }
                hook.unanswered.up()
                let answer = hook.owner.withLock { $0 }(question)
                let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
                let loop = context.eventLoop
                (answer.after ?? loop.makeSucceededVoidFuture()).hop(to: loop).whenComplete { _ in
                    loop.scheduleTask(in: answer.delay) {
                        let (handler, context) = bound.value
                        handler.send(answer, context)
                    }
                }
            }
        }

        private func send(_ answer: Answer, _ context: ChannelHandlerContext) {
            hook.unanswered.down()
            if answer.breaks { return context.close(promise: nil) }
            var headers = HTTPHeaders(answer.headers)
            if !answer.trickles { headers.add(name: "Content-Length", value: "\(answer.body.utf8.count)") }
            let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: answer.status), headers: headers)
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            if answer.trickles { return trickle(NIOLoopBound(context, eventLoop: context.eventLoop)) }
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer.body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        private func trickle(_ bound: NIOLoopBound<ChannelHandlerContext>) {
            let context = bound.value
            guard context.channel.isActive else { return }
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: " ")))), promise: nil)
            let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .milliseconds(50)) { handler.value.trickle(bound) }
        }
    }
}
