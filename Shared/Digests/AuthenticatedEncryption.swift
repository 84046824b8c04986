internal import CCrypto

/// AES-256-GCM (NIST SP 800-38D): bytes that only a holder of the key can read or make.
public struct AuthenticatedEncryption: Sendable {
    private static let nonceCount = 12
    private static let tagCount = 16
    private let key: [UInt8]

    /// - Parameter key: 32 bytes.
    public init(key: [UInt8]) {
        precondition(key.count == 32, "AES-256 has keys of 32 bytes")
        self.key = key
    }

    /// Nonce, cipher text and tag, bound to a context that ``open(_:for:)`` has to name again.
    ///
    /// The nonce is random, so one key is good for some 2³² messages.
    public func seal(_ message: [UInt8], for context: [UInt8]) -> [UInt8] {
        let nonce = randomBytes(Self.nonceCount)
        let cipher = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(cipher) }
        var length: Int32 = 0
        var sealed = [UInt8](repeating: 0, count: message.count + 16)
        var tag = [UInt8](repeating: 0, count: Self.tagCount)
        // These fail only when memory is exhausted or the library was built without the cipher.
        precondition(EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce) == 1)
        precondition(EVP_EncryptUpdate(cipher, nil, &length, context, Int32(context.count)) == 1)
        precondition(EVP_EncryptUpdate(cipher, &sealed, &length, message, Int32(message.count)) == 1)
        var end = [UInt8](repeating: 0, count: 16)
        precondition(EVP_EncryptFinal_ex(cipher, &end, &length) == 1)
        precondition(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, Int32(tag.count), &tag) == 1)
        return nonce + sealed[..<message.count] + tag
    }

    /// - Returns: The message; `nil` where key, context or bytes are not those of ``seal(_:for:)``.
    public func open(_ bytes: [UInt8], for context: [UInt8]) -> [UInt8]? {
        guard bytes.count >= Self.nonceCount + Self.tagCount else { return nil }
        let nonce = Array(bytes.prefix(Self.nonceCount))
        let sealed = Array(bytes.dropFirst(Self.nonceCount).dropLast(Self.tagCount))
        var tag = Array(bytes.suffix(Self.tagCount))
        let cipher = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(cipher) }
        var length: Int32 = 0
        var message = [UInt8](repeating: 0, count: sealed.count + 16)
        var end = [UInt8](repeating: 0, count: 16)
        guard EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_DecryptUpdate(cipher, nil, &length, context, Int32(context.count)) == 1,
            EVP_DecryptUpdate(cipher, &message, &length, sealed, Int32(sealed.count)) == 1,
            EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, Int32(tag.count), &tag) == 1,
            EVP_DecryptFinal_ex(cipher, &end, &length) == 1
        else { return nil }
        return Array(message[..<sealed.count])
    }
}
