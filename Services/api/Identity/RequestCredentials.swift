public import HTTPTypes
internal import ImageModel
public import ServiceKit

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
