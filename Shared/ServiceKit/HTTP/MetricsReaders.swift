internal import HTTPTypes

/// Who may read `/metrics`, which tells of paths, endpoints and load: this machine, and the networks that the operator
/// lists.
public struct MetricsReaders: Sendable {
    public var allowedSources: [AddressRange] = []

    public init() {}

    /// What a proxy on this machine passes on comes from anywhere, unless the proxy's own address is listed.
    func mayRead(_ headers: HTTPFields, peer: Peer) -> Bool {
        if let address = peer.address, allowedSources.contains(where: { $0.contains(address) }) { return true }
        return peer.isLocal && !HealthCheck.isProxied(headers)
    }
}
