import NIOCore
import NIOPosix
import Synchronization

/// Stands between a client and a registry, counts what passes, and cuts a connection where it is told to.
final class FaultyProxy: Sendable {
    enum Direction: Sendable { case request, answer }

    /// What has passed since ``arm(_:after:)``, or since the beginning.
    struct Traffic: Sendable {
        var request: [UInt8] = []
        var answer: [UInt8] = []
        var connections = 0

        /// How many exchanges were asked for.
        var requests: Int {
            let begin = Array("POST /v1/".utf8)
            return request.indices.count { request[$0...].starts(with: begin) }
        }
    }

    private struct State {
        var traffic = Traffic()
        var cut: (direction: Direction, after: Int)?
    }

    let upstream: Int
    private let state = Mutex(State())
    private let listening = Mutex<(any Channel)?>(nil)

    private init(upstream: Int) { self.upstream = upstream }

    var traffic: Traffic { state.withLock { $0.traffic } }

    var port: Int { listening.withLock { $0?.localAddress?.port } ?? 0 }

    /// Begins to count anew, and cuts the next connection on which so many bytes have passed in that direction: exactly
    /// those are passed on. Later connections are left alone.
    func arm(_ direction: Direction, after count: Int) {
        state.withLock { $0 = State(cut: (direction, count)) }
    }

    func reset() { state.withLock { $0 = State() } }

    /// Whether the connection that was to be cut has been, or what passed ended just before: answers tell times, whose
    /// digits make some bytes more or less.
    var hasCut: Bool {
        state.withLock { state in
            guard let cut = state.cut else { return true }
            let passed = cut.direction == .request ? state.traffic.request.count : state.traffic.answer.count
            return passed < cut.after && passed + 12 >= cut.after
        }
    }

    /// Relays to a port of this machine while `body` runs.
    @discardableResult
    static func with<Value: Sendable>(
        upstream: Int,
        _ body: (FaultyProxy) async throws -> Value
    ) async throws -> Value {
        let proxy = FaultyProxy(upstream: upstream)
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { proxy.relay($0) }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        proxy.listening.withLock { $0 = server }
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(proxy))
        } catch {
            result = .failure(error)
        }
        try await server.close()
        return try result.get()
    }

    private func relay(_ client: any Channel) -> EventLoopFuture<Void> {
        state.withLock { $0.traffic.connections += 1 }
        let requests = Relay(self, .request)
        let answers = Relay(self, .answer)
        return client.pipeline.addHandler(requests).map {
            ClientBootstrap(group: client.eventLoop)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { $0.pipeline.addHandler(answers) }
                .connect(host: "127.0.0.1", port: self.upstream)
                .whenComplete { result in
                    switch result {
                    case .success(let registry):
                        requests.peer.withLock { $0 = registry }
                        answers.peer.withLock { $0 = client }
                        client.setOption(.autoRead, value: true).whenFailure { _ in registry.close(promise: nil) }
                    case .failure: client.close(promise: nil)
                    }
                }
        }
    }

    /// How much of what came may pass, and whether the connection is cut behind it.
    fileprivate func admit(_ bytes: ByteBufferView, _ direction: Direction) -> (count: Int, isCut: Bool) {
        state.withLock { state in
            var count = bytes.count
            var isCut = false
            let passed = direction == .request ? state.traffic.request.count : state.traffic.answer.count
            if let cut = state.cut, cut.direction == direction, passed + count >= cut.after {
                count = cut.after - passed
                isCut = true
                state.cut = nil
            }
            switch direction {
            case .request: state.traffic.request += bytes.prefix(count)
            case .answer: state.traffic.answer += bytes.prefix(count)
            }
            return (count, isCut)
        }
    }
}

/// One direction of one connection.
private final class Relay: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    let peer = Mutex<(any Channel)?>(nil)
    private let proxy: FaultyProxy
    private let direction: FaultyProxy.Direction

    init(_ proxy: FaultyProxy, _ direction: FaultyProxy.Direction) {
        self.proxy = proxy
        self.direction = direction
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let peer = peer.withLock({ $0 }) else { return context.close(promise: nil) }
        let buffer = unwrapInboundIn(data)
        let (count, isCut) = proxy.admit(buffer.readableBytesView, direction)
        let channel = context.channel
        peer.writeAndFlush(buffer.getSlice(at: buffer.readerIndex, length: count)).whenComplete { _ in
            guard isCut else { return }
            peer.close(promise: nil)
            channel.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        peer.withLock { $0 }?.close(promise: nil)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
