internal import Glibc
internal import HTTPTypes
public import Hummingbird
internal import HummingbirdCore
public import Logging
public import NIOCore

/// Where a service listens.
public enum ListeningAddress: Sendable, CustomStringConvertible {
    case tcp(host: String, port: Int)
    case unixSocket(path: String)

    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unixSocket(let path): path
        }
    }

    /// `nil` on a Unix socket.
    public var port: Int? {
        switch self {
        case .tcp(_, let port): port
        case .unixSocket: nil
        }
    }

    /// Whether only this machine can connect.
    public var isLocal: Bool {
        switch self {
        case .tcp(let host, _): host == "localhost" || host == "::1" || host.hasPrefix("127.")
        case .unixSocket: true
        }
    }
}

/// What a request's handler may know of the connection it came by.
public struct ConnectionContext: InitializableFromSource, RequestContextSource {
    public let channel: any Channel
    public let logger: Logger
    /// Who is at the other end, since the connection was accepted.
    public let peer: Peer

    public init(source: ApplicationRequestContextSource) {
        self.init(channel: source.channel, logger: source.logger, peer: Peer.ofConnection)
    }

    public init(channel: any Channel, logger: Logger, peer: Peer) {
        self.channel = channel
        self.logger = logger
        self.peer = peer
    }

    /// Suspends until the connection's event loop has taken what was written before. A writer is told only then that there
    /// is no room left; a source that is faster than the loop would have given it many chunks by that time.
    public func takeWrites() async throws { try await channel.eventLoop.submit {}.get() }

    /// Whether the current request has arrived to its end. Asked where a body's length was not declared: a connection that
    /// breaks looks like the end of a body.
    public func hasWholeRequest() async -> Bool {
        let channel = channel
        do {
            return try await channel.eventLoop.submit {
                try channel.pipeline.syncOperations.handler(type: ConnectionGuard.self).hasWholeRequest
            }.get()
        } catch {
            // The connection is gone, and its handlers with it.
            return false
        }
    }

    /// Whether the client is still there, from now on; `nil` when the connection is gone already.
    public func presence() async -> ClientPresence? {
        let channel = channel
        do {
            return try await channel.eventLoop.submit {
                try channel.pipeline.syncOperations.handler(type: ConnectionGuard.self).presence
            }.get()
        } catch {
            return nil
        }
    }

    /// Tells the client that its body is about to be read, where it waits for that (RFC 9110 §10.1.1). Early refusals do
    /// without, and so spare the client the upload.
    public func willReadBody() {
        channel.triggerUserOutboundEvent(ConnectionGuard.ReadsBody(), promise: nil)
    }
}

/// A HTTP/1.1 server with this project's bounds on header sizes, idle time and stalled clients.
public struct HTTPService: Sendable {
    /// Largest head of a request; more is answered 431.
    public static let headerLimit = 64 << 10
    /// Connections at a time; more wait in the kernel's queue until one ends.
    public static let connectionLimit = 8_192
    public static let idleTimeout = TimeAmount.seconds(75)

    /// - Parameters:
    ///   - tls: The certificates to serve with; plain HTTP without.
    ///   - draining: Who knows that the process was asked to stop.
    ///   - onRunning: Called once the server accepts connections.
    public static func application<Responder: HTTPResponder<ConnectionContext>>(
        _ responder: Responder,
        at address: ListeningAddress,
        tls: TLSContext? = nil,
        draining: Draining? = nil,
        logger: Logger,
        onRunning: @escaping @Sendable () async -> Void = {}
    ) -> Application<Responder> {
        let bind: BindAddress =
            switch address {
            case .tcp(let host, let port): .hostname(host, port: port)
            case .unixSocket(let path): .unixDomainSocket(path: path)
            }
        let reads = UploadReads()
        return Application(
            responder: responder,
            server: HTTPServerBuilder { responder in
                let plain = HTTP1Channel(
                    responder: responder,
                    configuration: .init(
                        additionalChannelHandlers: [ConnectionGuard(draining: draining, reads: reads)],
                        idleTimeout: idleTimeout,
                        httpDecoderConfiguration: .init(
                            maxHeaderFieldSize: headerLimit,
                            maxHeaderListSize: headerLimit,
                            maxHeaderFieldCount: 200
                        )
                    )
                )
                let isUnixSocket = address.port == nil
                guard let tls else {
                    return LoopServedChannel(base: PeerChannel(base: plain, isUnixSocket: isUnixSocket))
                }
                let encrypted = TLSChannel(base: plain, context: tls)
                return LoopServedChannel(base: PeerChannel(base: encrypted, isUnixSocket: isUnixSocket))
            },
            configuration: ApplicationConfiguration(
                address: bind,
                backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(connectionLimit)
            ),
            onServerRunning: { _ in
                if case .unixSocket(let path) = address { chmod(path, 0o660) }
                await onRunning()
            },
            logger: logger
        )
    }

    /// Says in one sentence why listening failed.
    public static func sentence(for error: any Error, at address: ListeningAddress) -> String {
        let code = (error as? IOError)?.errnoCode
        return switch code {
        case EADDRINUSE: "\(address) is in use by another process; stop it or choose another bind_port"
        case EACCES, EPERM: "this user may not listen on \(address)"
        case EADDRNOTAVAIL: "\(address) is no address of this machine; check bind_host"
        case ENOENT: "the directory of \(address) does not exist"
        default: "cannot listen on \(address): \(error)"
        }
    }
}
