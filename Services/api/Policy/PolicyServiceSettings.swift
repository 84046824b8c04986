/// How other services are asked what rules leave to them (`[oslo_policy] remote_…`).
public struct PolicyServiceSettings: Sendable {
    /// Whether the body is one JSON document, instead of a form whose fields hold JSON.
    public var sendsJSON = false
    /// How long one answer may take, from the connection to the last byte.
    public var timeout = Duration.seconds(60)
    /// Whether the certificates of `https:` addresses have to be good.
    public var verifiesServers = false
    /// Authorities in PEM, instead of the system's.
    public var authorities: String?
    /// What is shown where a service asks for it, each a PEM file.
    public var certificate: String?
    public var key: String?

    public init() {}
}
