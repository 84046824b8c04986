import NIOCore
import NIOPosix
import Synchronization

/// Answers everything that is sent to it with the same bytes.
final class FixedServer: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let answer: String
    private let counter: Counter

    private init(_ answer: String, _ counter: Counter) {
        self.answer = answer
        self.counter = counter
    }

    /// Counts what was sent: small requests arrive in one piece.
    final class Counter: Sendable {
        private let value = Atomic(0)
        var count: Int { value.load(ordering: .relaxed) }
        fileprivate func add() { value.add(1, ordering: .relaxed) }
    }

    /// Serves JSON with a status line and headers of the caller's choice while `body` runs.
    static func with(
        _ status: String,
        headers: [String] = [],
        _ json: String,
        _ body: (_ port: Int, Counter) async throws -> Void
    ) async throws {
        let head = (["HTTP/1.1 \(status)", "content-length: \(json.utf8.count)"] + headers).joined(separator: "\r\n")
        try await serve("\(head)\r\n\r\n\(json)", body)
    }

    /// Accepts connections and reads, but never says a word.
    static func silent(_ body: (_ port: Int) async throws -> Void) async throws {
        try await serve("") { port, _ in try await body(port) }
    }

    private static func serve(_ answer: String, _ body: (_ port: Int, Counter) async throws -> Void) async throws {
        let counter = Counter()
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { $0.pipeline.addHandler(FixedServer(answer, counter)) }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(server.localAddress?.port ?? 0, counter))
        } catch {
            result = .failure(error)
        }
        try await server.close()
        try result.get()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        counter.add()
        context.channel.writeAndFlush(ByteBuffer(string: answer), promise: nil)
    }
}
