internal import Digests

/// A user name and a password as `Authorization: Basic` carries them (RFC 7617).
struct BasicCredentials: Equatable {
    var user: String
    /// Bytes, since a password need not be text. Never holds a zero, which would end it early for libcrypt.
    var password: [UInt8]

    /// Fails for another scheme, for what is not Base64 of `name:password`, and for a name that is not UTF-8.
    init?(authorization: String) {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic" else { return nil }
        guard let bytes = [UInt8](base64: parts[1].trimmed), let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
            return nil
        }
        guard let user = String(validating: bytes[..<colon], as: UTF8.self), !user.isEmpty else { return nil }
        let password = bytes[(colon + 1)...]
        guard !password.contains(0), !bytes[..<colon].contains(0) else { return nil }
        self.user = user
        self.password = Array(password)
    }
}
