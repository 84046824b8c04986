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

extension [UInt8] {
    /// What Base64 text stands for, padding required (RFC 4648 §4); `nil` when it is anything else.
    init?(base64 text: String) {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 4), !digits.isEmpty else { return nil }
        let padding = digits.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        self = []
        reserveCapacity(digits.count / 4 * 3)
        var bits: UInt32 = 0
        var bitCount = 0
        for digit in digits.dropLast(padding) {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = digit - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = digit - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
    }
}
