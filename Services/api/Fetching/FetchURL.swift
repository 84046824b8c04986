internal import Glibc

/// A URL that can be fetched, taken apart so strictly that nobody behind can read another host out of it.
public struct FetchURL: Sendable, Equatable {
    /// `http` or `https`.
    public let scheme: String
    /// A DNS name in lower case, or an address in its canonical form, IPv6 without brackets.
    public let host: String
    /// `nil` where the URL names none.
    public let port: Int?
    /// `user:password`, decoded.
    public let credentials: String?
    /// Path and query, beginning with a slash.
    public let target: String

    public var effectivePort: Int { port ?? (scheme == "https" ? 443 : 80) }

    /// Whether both are served by the same server, so that what is secret to one is to the other.
    public func hasSameOrigin(as other: FetchURL) -> Bool {
        (scheme, host, effectivePort) == (other.scheme, other.host, other.effectivePort)
    }

    /// The URL without its credentials, as it is sent on.
    public var text: String {
        let host = host.contains(":") ? "[\(host)]" : host
        return "\(scheme)://\(host)\(port.map { ":\($0)" } ?? "")\(target)"
    }

    private static let maximumLength = 8_192

    /// - Returns: `nil` for whatever is not plainly `http(s)://[user:password@]host[:port][/path][?query]`. A fragment is
    ///   dropped.
    public init?(_ text: String) {
        // Printable ASCII alone: blanks, controls and backslashes are read differently by different readers.
        guard text.utf8.count <= Self.maximumLength,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") })
        else { return nil }
        guard let mark = text.firstIndex(of: ":"), text[mark...].hasPrefix("://") else { return nil }
        scheme = text[..<mark].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let rest = text[text.index(mark, offsetBy: 3)...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let behind = rest[authority.endIndex...]
        target = behind.hasPrefix("/") ? String(behind) : "/" + behind
        guard let parts = Self.parts(of: authority) else { return nil }
        (host, port, credentials) = parts
    }

    private static func parts(of authority: Substring) -> (host: String, port: Int?, credentials: String?)? {
        var address = authority
        var credentials: String?
        if let at = authority.lastIndex(of: "@") {
            let user = authority[..<at]
            guard user.contains(":"), !user.contains("@"), let decoded = decode(user) else { return nil }
            credentials = decoded
            address = authority[authority.index(after: at)...]
        }
        var port: Int?
        var name = address
        // The colons of an IPv6 address stand in brackets.
        if let colon = address.lastIndex(of: ":"), !address[colon...].contains("]") {
            let digits = address[address.index(after: colon)...]
            guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(digits), (1...65_535).contains(number)
            else { return nil }
            port = number
            name = address[..<colon]
        }
        guard let host = host(name) else { return nil }
        return (host, port, credentials)
    }

    private static func host(_ name: Substring) -> String? {
        if name.hasPrefix("[") {
            guard name.hasSuffix("]"), name.contains(":") else { return nil }
            return HostAddress(String(name.dropFirst().dropLast()))?.text
        }
        if let address = HostAddress(String(name)) { return address.text }
        let text = name.lowercased()
        let isName =
            (1...253).contains(text.utf8.count) && !text.hasPrefix(".") && !text.hasPrefix("-")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
        // Short, octal and hexadecimal forms of addresses (`127.1`, `0x7f000001`) are for deceiving filters.
        var address = in_addr()
        let isDisguised = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
        guard isName, !isDisguised, inet_aton(text, &address) == 0 else { return nil }
        return text
    }

    /// - Returns: `nil` where `%` is not followed by two hexadecimal digits, or the bytes are no text.
    private static func decode(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
                value >= 0x20, value != 0x7F
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Where a redirect leads (RFC 3986 §4.2): absolute, or relative to here.
    ///
    /// - Returns: `nil` for what cannot be fetched.
    func redirected(to location: String) -> FetchURL? {
        if location.hasPrefix("//") { return FetchURL("\(scheme):\(location)") }
        let first = location.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if first.contains(":") { return FetchURL(location) }
        let origin = String(text.dropLast(target.count))
        if location.hasPrefix("/") { return FetchURL(origin + location) }
        let path = target.prefix { $0 != "?" }
        if location.hasPrefix("?") { return FetchURL(origin + path + location) }
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
        return FetchURL(origin + folder + location)
    }
}
