internal import Digests

/// Proof that a request comes from a holder of the shared secret: HMAC-SHA256 over everything the registry acts on.
///
/// The text that is signed is, line by line: `glance-registry-1`, method, path, protocol version, SHA-256 of the body in
/// hexadecimal, timestamp, nonce.
public struct RequestSignature: Sendable, Equatable {
    public var keyID: String
    /// Seconds since 1970.
    public var timestamp: Int64
    public var nonce: String
    /// Hexadecimal.
    public var value: String

    /// How far the clocks of the two services may differ.
    public static let allowedSkewSeconds: Int64 = 60

    public init(keyID: String, timestamp: Int64, nonce: String, value: String) {
        self.keyID = keyID
        self.timestamp = timestamp
        self.nonce = nonce
        self.value = value
    }

    public static func make(
        with key: RegistryKeys.Key,
        method: String,
        path: String,
        version: Int,
        body: [UInt8],
        timestamp: Int64,
        nonce: String
    ) -> RequestSignature {
        RequestSignature(
            keyID: key.id,
            timestamp: timestamp,
            nonce: nonce,
            value: hmacSHA256(
                key: key.secret,
                signedText(method: method, path: path, version: version, body: body, timestamp: timestamp, nonce: nonce)
            ).description
        )
    }

    /// Whether the signature is right, however old. Whether the nonce is new is for the caller to remember.
    public func isGenuine(
        with keys: RegistryKeys,
        method: String,
        path: String,
        version: Int,
        body: [UInt8]
    ) -> Bool {
        guard let key = keys[keyID],
            (16...64).contains(nonce.utf8.count), let given = [UInt8](hexadecimal: value)
        else { return false }
        let text = Self.signedText(
            method: method,
            path: path,
            version: version,
            body: body,
            timestamp: timestamp,
            nonce: nonce
        )
        return equalInConstantTime(hmacSHA256(key: key.secret, text).bytes, given)
    }

    /// Whether the clocks differ by no more than they may.
    public func isFresh(at now: Int64) -> Bool {
        // A stranger's word until the signature was looked at: no value may overflow.
        let (difference, overflow) = now.subtractingReportingOverflow(timestamp)
        return !overflow && difference.magnitude <= UInt64(Self.allowedSkewSeconds)
    }

    private static func signedText(
        method: String,
        path: String,
        version: Int,
        body: [UInt8],
        timestamp: Int64,
        nonce: String
    ) -> [UInt8] {
        Array("glance-registry-1\n\(method)\n\(path)\n\(version)\n\(Digest.of(body))\n\(timestamp)\n\(nonce)".utf8)
    }
}
