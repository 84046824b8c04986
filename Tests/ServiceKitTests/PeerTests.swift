import NIOCore
import Testing

@testable import ServiceKit

@Suite("The other end of a connection")
struct PeerTests {
    @Test("is what the listener and the address say, and unknown where neither does")
    func kinds() throws {
        let address = try SocketAddress(ipAddress: "192.0.2.7", port: 80)
        #expect(Peer(of: address, isUnixSocket: false) == .address("192.0.2.7"))
        #expect(Peer(of: nil, isUnixSocket: false) == .unknown)
        #expect(Peer(of: try SocketAddress(unixDomainSocketPath: "/s"), isUnixSocket: false) == .unknown)
        #expect(Peer(of: nil, isUnixSocket: true) == .unixSocket)
        // Outside of a connection nobody is at its other end.
        #expect(Peer.ofConnection == .unknown)
    }

    @Test("is on this machine only where that is known")
    func places() {
        #expect(Peer.unixSocket.isLocal && Peer.address("::1").isLocal)
        #expect(!Peer.unknown.isLocal && Peer.unknown.address == nil)
    }
}
