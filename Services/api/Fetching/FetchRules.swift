/// From where data may be fetched on behalf of clients (Glance, `[import_filtering_opts]`).
///
/// In each dimension a list of what is allowed counts alone; where it is empty, what is disallowed is refused.
public struct FetchRules: Sendable, Equatable {
    public var allowedSchemes: [String] = ["http", "https"]
    public var disallowedSchemes: [String] = []
    /// Names or addresses; what is listed here may also be this machine.
    public var allowedHosts: [String] = []
    public var disallowedHosts: [String] = []
    /// Asked only where a URL names a port.
    public var allowedPorts: [Int] = [80, 443]
    public var disallowedPorts: [Int] = []

    public init() {}

    /// - Throws: ``FetchError`` (`malformed`, `refused`).
    public func requireAllowed(_ url: FetchURL) throws(FetchError) {
        let isAllowed =
            Self.allows(url.scheme, allowedSchemes.map { $0.lowercased() }, disallowedSchemes.map { $0.lowercased() })
            && Self.allows(url.host, Self.canonical(allowedHosts), Self.canonical(disallowedHosts))
            && (url.port.map { Self.allows($0, allowedPorts, disallowedPorts) } ?? true)
        guard isAllowed else { throw Self.refusal }
    }

    /// Judges what a host's name was resolved to. A host that the operator lists may have any address.
    ///
    /// - Returns: the address to connect to.
    /// - Throws: ``FetchError`` (`refused`): one address too close, or disallowed, and none is used, since the name's owner
    ///   decides which comes first.
    func requireAllowed(_ addresses: [HostAddress], of url: FetchURL) throws(FetchError) -> HostAddress {
        guard let first = addresses.first else { throw FetchError(.refused, "The host of the URL is not known.") }
        guard !Self.canonical(allowedHosts).contains(url.host) else { return first }
        let disallowed = Self.canonical(disallowedHosts)
        guard !addresses.contains(where: { $0.isTooClose || disallowed.contains($0.text) }) else { throw Self.refusal }
        return first
    }

    private static let refusal = FetchError(.refused, "The URL is not one that this site lets be fetched.")

    private static func allows<Value: Equatable>(_ value: Value, _ allowed: [Value], _ disallowed: [Value]) -> Bool {
        allowed.isEmpty ? !disallowed.contains(value) : allowed.contains(value)
    }

    private static func canonical(_ hosts: [String]) -> [String] {
        hosts.map { host in
            let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
            return HostAddress(bare)?.text ?? bare.lowercased()
        }
    }
}
