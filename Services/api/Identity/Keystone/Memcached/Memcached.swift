internal import Digests
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Values that memcached servers keep for a while. A server that fails or is slow is one that has nothing, and is left
/// alone for a time.
final class Memcached: Sendable {
    private let servers: [Server]

    init(_ settings: MemcachedSettings, logger: Logger) {
        precondition(!settings.servers.isEmpty)
        servers = settings.servers.map { Server($0, settings, logger) }
    }

    /// Closes the connections; nobody may ask any more.
    func shutdown() async {
        for server in servers { await server.close() }
    }

    /// - Parameter name: Up to 250 bytes of visible ASCII.
    func get(_ name: String) async -> [UInt8]? {
        guard case .value(let bytes)? = await server(of: name).ask("get \(name)\r\n", []) else { return nil }
        return bytes
    }

    func set(_ name: String, _ value: [UInt8], seconds: Int) async {
        _ = await server(of: name).ask("set \(name) 0 \(seconds) \(value.count)\r\n", value + Array("\r\n".utf8))
    }

    private func server(of name: String) -> Server {
        let bytes = Digest.of(Array(name.utf8)).bytes
        return servers[(Int(bytes[0]) << 8 | Int(bytes[1])) % servers.count]
    }

    private final class Server: Sendable {
        private let address: MemcachedSettings.Server
        private let timeout: TimeAmount
        private let restTime: Duration
        private let logger: Logger
        private let state = Mutex(State.idle)

        private enum State {
            case idle
            /// Being opened, or open.
            case connected(EventLoopFuture<any Channel>)
            case resting(until: ContinuousClock.Instant)
            case closed
        }

        init(_ address: MemcachedSettings.Server, _ settings: MemcachedSettings, _ logger: Logger) {
            self.address = address
            timeout = .milliseconds(Int64(settings.timeout / .milliseconds(1)))
            restTime = settings.restTime
            self.logger = logger
        }

        func ask(_ line: String, _ data: [UInt8]) async -> MemcachedReply? {
            guard let connection = connection() else { return nil }
            do {
                let channel = try await connection.get()
                let reply = channel.eventLoop.makePromise(of: MemcachedReply.self)
                var bytes = ByteBuffer(string: line)
                bytes.writeBytes(data)
                channel.writeAndFlush(MemcachedCommand(bytes: bytes, reply: reply), promise: nil)
                return try await reply.futureResult.get()
            } catch MemcachedChannel.Fault.tooManyWaiting {
                return nil
            } catch {
                rest(because: error, connection)
                return nil
            }
        }

        func close() async {
            let connection = state.withLock { state -> EventLoopFuture<any Channel>? in
                defer { state = .closed }
                if case .connected(let connection) = state { return connection }
                return nil
            }
            // One that cannot be opened or closed is gone already.
            try? await connection?.get().close()
        }

        private func connection() -> EventLoopFuture<any Channel>? {
            state.withLock { state in
                switch state {
                case .closed: return nil
                case .resting(let end) where .now < end: return nil
                case .connected(let connection): return connection
                case .idle, .resting:
                    let connection = connect()
                    state = .connected(connection)
                    return connection
                }
            }
        }

        private func connect() -> EventLoopFuture<any Channel> {
            let timeout = timeout
            return ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(timeout)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(MemcachedChannel(timeout: timeout))
                    }
                }
                .connect(host: address.host, port: address.port)
                .map { $0 as any Channel }
        }

        /// Once for a connection that failed many commands at the same time.
        private func rest(because error: any Error, _ connection: EventLoopFuture<any Channel>) {
            let isFirst = state.withLock { state -> Bool in
                guard case .connected(let current) = state, current === connection else { return false }
                // A server closes idle connections: that is no fault, and the next command opens another.
                if case MemcachedChannel.Fault.closed = error {
                    state = .idle
                    return false
                }
                state = .resting(until: .now + restTime)
                return true
            }
            guard isFirst else { return }
            logger.warning(
                "A token cache server failed and is left alone for a while",
                metadata: ["server": "\(address.host):\(address.port)", "error": "\(error)"]
            )
        }
    }
}
