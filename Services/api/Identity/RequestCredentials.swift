internal import Glibc
public import HTTPTypes
internal import ImageModel

/// All that identity may look at: the request's head and who is at the other end of the connection.
public struct RequestCredentials: Sendable {
    /// In upper case.
    public var method: String
    /// Decoded, as the request is routed by it, without the query.
    public var path: String
    public var headers: HTTPFields
    public var peer: Peer
    /// Whether the other end proved by a TLS certificate that we trust who it is. A server that does not ask for one
    /// leaves this off.
    public var hasClientCertificate = false

    public init(method: String = "GET", path: String = "/", headers: HTTPFields, peer: Peer) {
        self.method = method
        self.path = path
        self.headers = headers
        self.peer = peer
    }
}

extension HTTPField.Name {
    /// A name that is known to be one.
    static func known(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is no header name") }
        return name
    }
}

/// The other end of a connection.
public enum Peer: Sendable, Hashable {
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
