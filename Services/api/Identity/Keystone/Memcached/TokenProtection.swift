internal import Digests

/// How entries of the shared cache are kept from those who may reach it (`memcache_security_strategy`).
///
/// Without protection, whoever may write to the cache can be anybody; with it, somebody who knows the secret.
public enum TokenProtection: Sendable {
    case none
    /// Nobody else can make an entry.
    case signed(secret: String)
    /// Nor read one.
    case encrypted(secret: String)

    /// The name of an entry; tells nothing of the token.
    func name(of key: TokenKey) -> String {
        let digest =
            switch self {
            case .none: key.digest
            case .signed(let secret), .encrypted(let secret):
                hmacSHA256(key: Self.key("name", secret), key.digest.bytes)
            }
        return "glance-token-\(key.allowsExpired ? "e" : "")\(digest)"
    }

    func seal(_ entry: [UInt8], name: String) -> [UInt8] {
        switch self {
        case .none: entry
        case .signed(let secret): signature(of: entry, name, secret) + entry
        case .encrypted(let secret):
            AuthenticatedEncryption(key: Self.key("encrypt", secret)).seal(entry, for: Array(name.utf8))
        }
    }

    /// - Returns: `nil` for what was not sealed under this name with this secret.
    func open(_ bytes: [UInt8], name: String) -> [UInt8]? {
        switch self {
        case .none: return bytes
        case .signed(let secret):
            guard bytes.count >= 32 else { return nil }
            let entry = Array(bytes.dropFirst(32))
            return equalInConstantTime(Array(bytes.prefix(32)), signature(of: entry, name, secret)) ? entry : nil
        case .encrypted(let secret):
            return AuthenticatedEncryption(key: Self.key("encrypt", secret)).open(bytes, for: Array(name.utf8))
        }
    }

    private func signature(of entry: [UInt8], _ name: String, _ secret: String) -> [UInt8] {
        hmacSHA256(key: Self.key("sign", secret), Array(name.utf8) + [0] + entry).bytes
    }

    /// One key for each purpose.
    private static func key(_ purpose: String, _ secret: String) -> [UInt8] {
        hmacSHA256(key: Array(secret.utf8), Array("glance token cache: \(purpose)".utf8)).bytes
    }
}
