internal import HTTPTypes
internal import Hummingbird
internal import ServiceKit

/// How the client knows the service, and where it is itself: by the request alone, or by what the proxies in front say
/// (`[oslo_middleware] enable_proxy_headers_parsing`).
///
/// What a proxy is said to have sent and cannot have sent is passed over. Identity never asks this type: who may be
/// believed is decided by the connection.
struct ClientAddress: Equatable {
    /// `http` or `https`.
    var scheme: String
    /// Host, and the port unless it is the scheme's own.
    var authority: String
    /// The path under which a proxy mounts the service, without a slash at its end; mostly empty.
    var prefix = ""
    /// The client's IP address, for the log; `nil` on a Unix socket, and where it is not known.
    var client: String?

    /// The base of links, without a slash at its end.
    var base: String { "\(scheme)://\(authority)\(prefix)" }

    init(of request: Request, peer: String?, isTLS: Bool = false, believesProxies: Bool) {
        scheme = isTLS ? "https" : request.head.scheme ?? "http"
        authority = request.head.authority ?? "localhost"
        client = peer
        if believesProxies { apply(request.headers) }
    }

    /// `Forwarded` (RFC 7239) wins over its forerunners; of several proxies the first one, which met the client, counts.
    private mutating func apply(_ headers: HTTPFields) {
        func first(_ name: String) -> String? {
            HTTPField.Name(name).flatMap { headers[$0] }?.split(separator: ",").first.map { $0.withoutBlanks }
        }
        if let name = HTTPField.Name("Forwarded"), let value = headers[name] {
            let pairs = Self.firstElement(of: value)
            apply(scheme: pairs["proto"], host: pairs["host"], port: nil, client: pairs["for"])
        } else {
            apply(
                scheme: first("X-Forwarded-Proto"),
                host: first("X-Forwarded-Host"),
                port: first("X-Forwarded-Port"),
                client: first("X-Forwarded-For")
            )
        }
        if var prefix = first("X-Forwarded-Prefix") {
            while prefix.hasSuffix("/") { prefix.removeLast() }
            if Self.isPath(prefix) { self.prefix = prefix }
        }
    }

    private mutating func apply(scheme: String?, host: String?, port: String?, client: String?) {
        if let scheme = scheme?.lowercased(), ["http", "https"].contains(scheme) { self.scheme = scheme }
        let host = host.flatMap { Self.isAuthority($0) ? $0 : nil }
        if let host { authority = host }
        // A host that names its port knows better than a header of its own.
        if let number = port.flatMap({ UInt16($0) }), number > 0, host == nil || Self.hostOnly(authority) == authority {
            let isSchemesOwn = number == (self.scheme == "https" ? 443 : 80)
            authority = Self.hostOnly(authority) + (isSchemesOwn ? "" : ":\(number)")
        }
        if let address = client.map(Self.node), AddressRange.isAddress(address) { self.client = address }
    }

    /// The pairs of the first element of a `Forwarded` header, by lower-case name. Quotation marks enclose commas and
    /// semicolons (RFC 7239 §4).
    private static func firstElement(of header: String) -> [String: String] {
        var pairs: [String: String] = [:]
        var name = ""
        var text = ""
        var isQuoted = false
        var isEscaped = false
        func end() {
            let key = name.withoutBlanks.lowercased()
            // Each name may occur once in an element; of more the first counts.
            if !key.isEmpty, pairs[key] == nil { pairs[key] = text.withoutBlanks }
            name = ""
            text = ""
        }
        for character in header {
            switch character {
            case _ where isEscaped:
                text.append(character)
                isEscaped = false
            case "\\" where isQuoted: isEscaped = true
            case "\"": isQuoted.toggle()
            case "=" where !isQuoted && name.isEmpty:
                name = text
                text = ""
            case ";" where !isQuoted: end()
            case "," where !isQuoted:
                end()
                return pairs
            default: text.append(character)
            }
        }
        end()
        return pairs
    }

    /// The address of a node, without port and brackets (RFC 7239 §6).
    private static func node(_ text: String) -> String {
        let host = hostOnly(text)
        return host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    }

    private static func hostOnly(_ authority: String) -> String {
        if authority.hasPrefix("[") {
            return authority.firstIndex(of: "]").map { String(authority[...$0]) } ?? authority
        }
        // More than one colon without brackets is an IPv6 address, as X-Forwarded-For has them.
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 ? String(parts[0]) : authority
    }

    private static func isAuthority(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 255
            && text.utf8.allSatisfy { isLetterOrDigit($0) || "-._:[]".utf8.contains($0) }
    }

    private static func isPath(_ text: String) -> Bool {
        text.hasPrefix("/") && text.utf8.count <= 1024
            && text.utf8.allSatisfy { isLetterOrDigit($0) || "/-._~%!$&()*+,;=:@".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}

extension StringProtocol {
    /// The text without spaces and tabs around it.
    fileprivate var withoutBlanks: String {
        var text = self[...]
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
