internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import ServiceKit

/// The connections of one event loop to one registry: a stack of idle ones, the freshest on top. Lives on its event loop.
final class RegistryConnectionPool {
    /// Below the time after which a registry closes an idle connection.
    static let idleLimit = TimeAmount.seconds(30)

    private let endpoint: RegistryEndpoint
    private let limits: RegistryConnectionLimits
    private let tls: TLSContext?
    private let eventLoop: any EventLoop
    private var idle: [RegistryConnection] = []
    private var open = 0
    private var waiting = CircularBuffer<Turn>()

    /// A request's place in the line; `isOver` once it was called or gave up.
    private final class Turn {
        let promise: EventLoopPromise<Void>
        var isOver = false

        init(_ promise: EventLoopPromise<Void>) { self.promise = promise }
    }

    /// - Parameter tls: Needed where the endpoint has TLS.
    init(
        endpoint: RegistryEndpoint,
        limits: RegistryConnectionLimits,
        tls: TLSContext?,
        eventLoop: any EventLoop
    ) {
        self.endpoint = endpoint
        self.limits = limits
        self.tls = tls
        self.eventLoop = eventLoop
    }

    /// One exchange over an idle or a new connection, that ends by the deadline.
    func exchange(_ head: HTTPRequestHead, _ body: ByteBuffer, until deadline: NIODeadline)
        -> EventLoopFuture<RegistryAnswer>
    {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        if let connection = popIdle() { return use(connection, head, body, deadline) }
        if open < limits.connections {
            open += 1
            return connect(until: deadline).flatMap { connection in
                bound.value.use(connection.value, head, body, deadline)
            }
        }
        guard waiting.count < limits.waiting else {
            return eventLoop.makeFailedFuture(RegistryConnectionError.tooManyWaiting)
        }
        let turn = Turn(eventLoop.makePromise())
        waiting.append(turn)
        let boundTurn = NIOLoopBound(turn, eventLoop: eventLoop)
        let end = eventLoop.scheduleTask(deadline: deadline) {
            guard !boundTurn.value.isOver else { return }
            boundTurn.value.isOver = true
            boundTurn.value.promise.fail(RegistryConnectionError.timedOut)
        }
        return turn.promise.futureResult.flatMap {
            end.cancel()
            return bound.value.exchange(head, body, until: deadline)
        }
    }

    private func popIdle() -> RegistryConnection? {
        while let connection = idle.popLast() {
            if connection.isUsable, connection.idleSince + Self.idleLimit > .now() { return connection }
            connection.close()
            open -= 1
        }
        return nil
    }

    private func use(
        _ connection: RegistryConnection,
        _ head: HTTPRequestHead,
        _ body: ByteBuffer,
        _ deadline: NIODeadline
    ) -> EventLoopFuture<RegistryAnswer> {
        // A new connection may have been closed before its first use.
        guard connection.isUsable else {
            giveBack(connection)
            return eventLoop.makeFailedFuture(RegistryConnectionError.closed)
        }
        let bound = NIOLoopBound((self, connection), eventLoop: eventLoop)
        return connection.send(head, body, until: deadline).always { _ in
            let (pool, connection) = bound.value
            pool.giveBack(connection)
        }
    }

    private func giveBack(_ connection: RegistryConnection) {
        if connection.isUsable {
            connection.idleSince = .now()
            idle.append(connection)
        } else {
            open -= 1
        }
        callNext()
    }

    private func callNext() {
        while let turn = waiting.popFirst() {
            guard !turn.isOver else { continue }
            turn.isOver = true
            turn.promise.succeed()
            return
        }
    }

    private func connect(until deadline: NIODeadline) -> EventLoopFuture<NIOLoopBound<RegistryConnection>> {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let eventLoop = eventLoop
        let endpoint = endpoint
        let tls = tls
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(min(.seconds(2), max(.milliseconds(1), deadline - .now())))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if case .tls(let host, _) = endpoint, let tls {
                        // An address is compared with those in the certificate; as a name it would be refused.
                        let name = (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls.current, serverHostname: name)
                        )
                    }
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(RegistryConnection())
                }
            }
        let connecting =
            switch endpoint {
            case .tcp(let host, let port), .tls(let host, let port): bootstrap.connect(host: host, port: port)
            case .unixSocket(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        return connecting.flatMapThrowing { channel in
            NIOLoopBound(
                try channel.pipeline.syncOperations.handler(type: RegistryConnection.self),
                eventLoop: eventLoop
            )
        }.flatMapErrorThrowing { error in
            bound.value.open -= 1
            bound.value.callNext()
            throw RegistryConnectionError.notReached(error)
        }
    }

    func closeAll() {
        for connection in idle { connection.close() }
        open -= idle.count
        idle.removeAll()
    }
}
