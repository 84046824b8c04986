internal import ArgumentParser
internal import NIOCore

/// Where a service listens: `http://host[:port][/prefix]`.
struct ServiceURL: Sendable, CustomStringConvertible {
    let host: String
    let port: Int
    /// Comes before `/v2`; empty or beginning with a slash.
    let prefix: String

    init(parsing text: String) throws {
        guard !text.hasPrefix("https://") else {
            throw ValidationError("\(text): TLS is not spoken here; measure the plain HTTP listener behind it.")
        }
        guard text.hasPrefix("http://") else {
            throw ValidationError("\(text) is not a URL of the form http://host:port.")
        }
        let rest = text.dropFirst("http://".count)
        let authority = rest.prefix { $0 != "/" }
        guard !authority.contains("@") else {
            throw ValidationError("Give the user and password as --user and --password, not in the URL.")
        }
        var prefix = rest.dropFirst(authority.count)
        while prefix.last == "/" { prefix = prefix.dropLast() }
        if prefix.hasSuffix("/v2") { prefix = prefix.dropLast(3) }
        let isBracketed = authority.hasPrefix("[")
        let host = isBracketed ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
        let portText = authority.dropFirst(host.count + (isBracketed ? 2 : 0))
        let port = portText.isEmpty ? 80 : portText.hasPrefix(":") ? Int(portText.dropFirst()) : nil
        guard !host.isEmpty, let port, (1...65_535).contains(port),
            !text.contains(where: { $0.isWhitespace || $0 == "?" || $0 == "#" })
        else {
            throw ValidationError("\(text) is not a URL of the form http://host:port.")
        }
        self.host = String(host)
        self.port = port
        self.prefix = String(prefix)
    }

    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    var description: String { "http://\(authority)\(prefix)" }

    /// The addresses to try, in order.
    /// - Throws: if the name is unknown, or means another machine and that was not allowed.
    func addresses(allowingRemote: Bool) throws -> [SocketAddress] {
        let names = host == "localhost" ? ["127.0.0.1", "::1"] : [host]
        let addresses: [SocketAddress]
        do {
            addresses = try names.map { try SocketAddress.makeAddressResolvingHost($0, port: port) }
        } catch {
            throw BenchError("The host name \(host) cannot be resolved.")
        }
        guard allowingRemote || addresses.allSatisfy(Self.isLoopback) else {
            throw BenchError(
                "\(self) is not on this machine. A benchmark is an attack on whoever did not ask for it: "
                    + "add --allow-remote if the service is yours."
            )
        }
        return addresses
    }

    private static func isLoopback(_ address: SocketAddress) -> Bool {
        guard let text = address.ipAddress else { return false }
        return text.hasPrefix("127.") || text == "::1" || text.hasPrefix("::ffff:127.")
    }
}
