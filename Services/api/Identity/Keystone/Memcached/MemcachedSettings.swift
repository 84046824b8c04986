/// Which memcached servers keep what is known of tokens for all API processes, and how.
public struct MemcachedSettings: Sendable {
    public var servers: [Server]
    /// How long a connection or an answer may take; what takes longer counts as not cached.
    public var timeout = Duration.seconds(1)
    /// How long a server that failed is left alone.
    public var restTime = Duration.seconds(30)
    public var protection = TokenProtection.none

    public struct Server: Sendable, Equatable {
        public var host: String
        public var port: Int

        /// `host:port`, `[address]:port` or a host alone; python-memcached's `inet:` and `inet6:` before it are fine.
        public init?(_ text: String) {
            var text = text[...]
            for prefix in ["inet6:", "inet:"] where text.hasPrefix(prefix) { text = text.dropFirst(prefix.count) }
            let colon = text.lastIndex(of: ":")
            let isBareAddress = !text.hasPrefix("[") && text.filter { $0 == ":" }.count > 1
            if let colon, !isBareAddress, !text.hasSuffix("]") {
                guard let port = Int(text[text.index(after: colon)...]), (1...65_535).contains(port) else { return nil }
                self.port = port
                text = text[..<colon]
            } else {
                port = 11_211
            }
            if text.hasPrefix("["), text.hasSuffix("]") { text = text.dropFirst().dropLast() }
            guard !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "/") }) else {
                return nil
            }
            host = String(text)
        }
    }

    public init(servers: [Server]) { self.servers = servers }
}
