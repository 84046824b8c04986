internal import Glibc

/// The other end of a connection, as it was when the connection was accepted: a socket that was closed since no longer
/// knows.
public enum Peer: Sendable, Hashable {
    /// Whoever may open a Unix socket that the service listens on.
    case unixSocket
    /// An IP address in text form, without a port.
    case address(String)
    /// It was gone before anybody could ask. Nothing may be believed of it, nor granted to it.
    case unknown

    /// Its IP address, where it has one that is known.
    public var address: String? {
        guard case .address(let text) = self else { return nil }
        return text
    }

    /// Whether it is on this machine: a Unix socket, 127.0.0.0/8, ::1, or the former mapped into IPv6.
    ///
    /// What is no plain address (a name, a zone) is elsewhere.
    public var isLocal: Bool {
        switch self {
        case .unixSocket: true
        case .unknown: false
        case .address(let text): Self.isLoopback(text)
        }
    }

    private static func isLoopback(_ text: String) -> Bool {
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
