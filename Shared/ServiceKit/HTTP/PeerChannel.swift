internal import HummingbirdCore
internal import Logging
internal import NIOCore

/// Notes who is at the other end of a connection when it is accepted, and tells the requests that come by it.
///
/// A channel forgets its addresses when it is closed, which a client can bring about with the request still unread; and a
/// connection on a Unix socket has none at all. So absence tells nothing: a Unix socket is one because the service
/// listens on one.
struct PeerChannel<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base
    /// Whether the service listens on a Unix socket.
    let isUnixSocket: Bool

    struct Value: ServerChildChannelValue {
        let base: Base.Value
        let peer: Peer

        var channel: any Channel { base.channel }
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let peer = Peer(of: channel.remoteAddress, isUnixSocket: isUnixSocket)
        return base.setup(channel: channel, logger: logger).map { Value(base: $0, peer: peer) }
    }

    func handle(value: Value, logger: Logger) async {
        await Peer.$ofConnection.withValue(value.peer) { await base.handle(value: value.base, logger: logger) }
    }
}

extension Peer {
    /// Of the connection whose requests the current task answers.
    @TaskLocal static var ofConnection = Peer.unknown

    /// - Parameter address: Of the other side, when the connection was accepted.
    init(of address: SocketAddress?, isUnixSocket: Bool) {
        self = isUnixSocket ? .unixSocket : address?.ipAddress.map(Peer.address) ?? .unknown
    }
}
