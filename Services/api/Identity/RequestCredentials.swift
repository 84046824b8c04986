internal import Glibc
public import HTTPTypes

/// All that identity may look at: the request's header fields and who is at the other end of the connection.
public struct RequestCredentials: Sendable {
    public var headers: HTTPFields
    public var peer: Peer

    public init(headers: HTTPFields, peer: Peer) {
        self.headers = headers
        self.peer = peer
    }
}

/// The other end of a connection.
public enum Peer: Sendable, Equatable {
    case unixSocket
    /// An IP address in text form, without a port.
    case address(String)

    /// Whether it is on this machine: a Unix socket, 127.0.0.0/8, ::1, or the former mapped into IPv6.
    ///
    /// What is no plain address (a name, a zone) is elsewhere.
    public var isLocal: Bool {
        guard case .address(let text) = self else { return true }
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { $0[0] == 127 } }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return false }
        return withUnsafeBytes(of: six) { bytes in
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
            let isLoopback = bytes[..<15].allSatisfy { $0 == 0 } && bytes[15] == 1
            return isLoopback || (isMapped && bytes[12] == 127)
        }
    }
}
