/// Where a registry listens.
public enum RegistryEndpoint: Sendable, Hashable, CustomStringConvertible {
    case tcp(host: String, port: Int)
    /// TCP with TLS; the registry's certificate must name the host.
    case tls(host: String, port: Int)
    case unixSocket(path: String)

    /// Reads `http://host:port`, `https://host:port` or `unix:/path`.
    ///
    /// - Returns: `nil` for anything else.
    public init?(_ text: String) {
        if text.hasPrefix("unix:/") {
            self = .unixSocket(path: String(text.dropFirst("unix:".count)))
            return
        }
        let isTLS = text.hasPrefix("https://")
        guard isTLS || text.hasPrefix("http://") else { return nil }
        var authority = text.dropFirst(isTLS ? "https://".count : "http://".count)
        if authority.hasSuffix("/") { authority = authority.dropLast() }
        guard let colon = authority.lastIndex(of: ":") else { return nil }
        let digits = authority[authority.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let port = Int(digits),
            (1...65_535).contains(port)
        else { return nil }
        var host = authority[..<colon]
        // An IPv6 address stands in brackets: without them its last group would pass for the port.
        let isIPv6 = host.hasPrefix("[") && host.hasSuffix("]")
        if isIPv6 { host = host.dropFirst().dropLast() }
        let others: Set<Character> = isIPv6 ? [":", ".", "%"] : [".", "-", "_"]
        guard !host.isEmpty, host.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) || others.contains($0) })
        else { return nil }
        self = isTLS ? .tls(host: String(host), port: port) : .tcp(host: String(host), port: port)
    }

    public var isTLS: Bool {
        if case .tls = self { true } else { false }
    }

    public var description: String {
        switch self {
        case .tcp(let host, let port): "http://\(Self.bracketed(host)):\(port)"
        case .tls(let host, let port): "https://\(Self.bracketed(host)):\(port)"
        case .unixSocket(let path): "unix:\(path)"
        }
    }

    private static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
}
