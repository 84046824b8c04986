internal import CCrypto

/// HMAC-SHA256 (RFC 2104).
public func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> Digest {
    var length: UInt32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
        let result = key.withUnsafeBytes { key in
            message.withUnsafeBytes { message in
                HMAC(
                    EVP_sha256(),
                    key.baseAddress,
                    Int32(key.count),
                    message.baseAddress,
                    message.count,
                    buffer.baseAddress,
                    &length
                )
            }
        }
        precondition(result != nil)
        count = Int(length)
    }
    return Digest(bytes: bytes)
}

/// Whether two secrets are equal, in a time that tells nothing of where they differ.
public func equalInConstantTime(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    guard one.count == other.count else { return false }
    return CRYPTO_memcmp(one, other, one.count) == 0
}

/// Unpredictable bytes, for keys, nonces and passwords.
public func randomBytes(_ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        precondition(RAND_bytes(buffer.baseAddress, Int32(count)) == 1, "no entropy")
        initialized = count
    }
}

extension Sequence<UInt8> {
    /// Lower-case hexadecimal text.
    public var hexadecimal: String {
        func digit(_ value: UInt8) -> UInt8 { value + (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10) }
        var text: [UInt8] = []
        text.reserveCapacity(2 * underestimatedCount)
        for byte in self {
            text.append(digit(byte >> 4))
            text.append(digit(byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension [UInt8] {
    /// The bytes that hexadecimal text stands for; `nil` when it is not hexadecimal or of odd length.
    public init?(hexadecimal text: String) {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        self = []
        reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard digits[index] < 0x80, digits[index + 1] < 0x80,
                let high = Character(Unicode.Scalar(digits[index])).hexDigitValue,
                let low = Character(Unicode.Scalar(digits[index + 1])).hexDigitValue
            else { return nil }
            append(UInt8(high << 4 | low))
        }
    }
}
