/// Where a registry listens.
public enum RegistryEndpoint: Sendable, Hashable, CustomStringConvertible {
    case tcp(host: String, port: Int)
    case unixSocket(path: String)

    /// Reads `http://host:port` or `unix:/path`.
    ///
    /// - Returns: `nil` for anything else.
    public init?(_ text: String) {
        if text.hasPrefix("unix:/") {
            self = .unixSocket(path: String(text.dropFirst("unix:".count)))
            return
        }
        guard text.hasPrefix("http://") else { return nil }
        var authority = text.dropFirst("http://".count)
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
        self = .tcp(host: String(host), port: port)
    }

    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)"
        case .unixSocket(let path): "unix:\(path)"
        }
    }
}
