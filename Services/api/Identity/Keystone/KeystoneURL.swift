/// An absolute `http` or `https` URL without query, and without a slash at its end.
public struct KeystoneURL: Sendable, Equatable, CustomStringConvertible {
    let scheme: String
    let authority: String
    /// Empty, or with a slash at its beginning.
    private(set) var path: String

    /// - Returns: `nil` for anything else, also when it names a user or holds blanks or control characters.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[1].isEmpty, !parts[2].isEmpty,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\"<>\\^`{|}@?#".utf8.contains($0) })
        else { return nil }
        switch parts[0].lowercased() {
        case "http:": scheme = "http"
        case "https:": scheme = "https"
        default: return nil
        }
        authority = String(parts[2])
        path = parts.count > 3 ? "/" + parts[3] : ""
        while path.hasSuffix("/") { path.removeLast() }
    }

    public var description: String { "\(scheme)://\(authority)\(path)" }

    /// Whether it names the version of the API that we speak.
    var isVersioned: Bool { path.hasSuffix("/v3") }

    func appending(_ more: String) -> KeystoneURL {
        var url = self
        url.path += more
        return url
    }

    /// What a link in a document from here means: a path is one on the same host.
    ///
    /// A Keystone behind a proxy often does not know of that proxy's TLS: passwords and tokens never leave it, so of a
    /// link that would, the path alone counts.
    func following(_ link: String) -> KeystoneURL? {
        if link.hasPrefix("/") { return KeystoneURL("\(scheme)://\(authority)\(link)") }
        guard var target = KeystoneURL(link) else { return nil }
        if scheme == "https", target.scheme == "http" {
            guard let own = KeystoneURL("\(scheme)://\(authority)") else { return nil }
            target = own.appending(target.path)
        }
        return target
    }
}
