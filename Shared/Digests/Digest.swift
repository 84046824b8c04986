internal import CCrypto

/// The bytes of a finished digest.
public struct Digest: Sendable, Hashable, CustomStringConvertible {
    public let bytes: [UInt8]

    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// Lower-case hexadecimal, as the Image API shows digests.
    public var description: String { bytes.hexadecimal }

    /// The digest of bytes that are in memory.
    public static func of(_ bytes: [UInt8], _ algorithm: DigestAlgorithm = .sha256) -> Digest {
        let hasher = DigestStream(algorithm)
        bytes.withUnsafeBytes { hasher.update($0) }
        return hasher.finish()
    }
}

/// A digest under way, fed piece by piece. Not safe for concurrent use: one owner feeds it.
///
/// Sendable because it may be handed from lane to lane between pieces; whoever holds it is alone with it.
public final class DigestStream: @unchecked Sendable {
    public let algorithm: DigestAlgorithm
    private let context: OpaquePointer

    public init(_ algorithm: DigestAlgorithm) {
        self.algorithm = algorithm
        // Both calls fail only when memory is exhausted or the library was built without the algorithm.
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, algorithm.implementation, nil) == 1 else {
            preconditionFailure("libcrypto has no \(algorithm.rawValue)")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    public func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        precondition(EVP_DigestUpdate(context, base, bytes.count) == 1)
    }

    /// The digest of all that was fed; the stream ends here.
    public func finish() -> Digest {
        var length: UInt32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
            precondition(EVP_DigestFinal_ex(context, buffer.baseAddress, &length) == 1)
            count = Int(length)
        }
        return Digest(bytes: bytes)
    }
}

extension DigestAlgorithm {
    fileprivate var implementation: OpaquePointer? {
        switch self {
        case .md5: EVP_md5()
        case .sha1: EVP_sha1()
        case .sha224: EVP_sha224()
        case .sha256: EVP_sha256()
        case .sha384: EVP_sha384()
        case .sha512: EVP_sha512()
        case .sha3_256: EVP_sha3_256()
        case .sha3_384: EVP_sha3_384()
        case .sha3_512: EVP_sha3_512()
        case .blake2b: EVP_blake2b512()
        case .blake2s: EVP_blake2s256()
        }
    }
}
