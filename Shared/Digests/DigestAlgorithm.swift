/// A digest that libcrypto computes, under the names that `hashing_algorithm` and `os_hash_algo` use.
public enum DigestAlgorithm: String, Sendable, CaseIterable {
    case md5, sha1, sha224, sha256, sha384, sha512
    case sha3_256, sha3_384, sha3_512
    case blake2b, blake2s

    /// Length of a digest in bytes.
    public var byteCount: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha224: 28
        case .sha256, .sha3_256, .blake2s: 32
        case .sha384, .sha3_384: 48
        case .sha512, .sha3_512, .blake2b: 64
        }
    }
}
