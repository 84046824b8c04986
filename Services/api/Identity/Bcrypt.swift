internal import CCrypt
internal import Digests
internal import Glibc
public import ImageModel

/// A bcrypt hash of the password, as `htpasswd -B` would write it.
///
/// The cost, 4 to 16, is the binary logarithm of the number of rounds. Blocks for some 2^cost × 60 µs: for programs
/// that make users, not for requests.
///
/// - Throws: `invalidRequest` for a password that bcrypt would not take as a whole: empty, longer than 72 bytes, or
///   with a zero byte in it.
public func bcryptHash(password: String, cost: Int = 12) throws(ServiceError) -> String {
    guard (1...72).contains(password.utf8.count), !password.utf8.contains(0) else {
        throw ServiceError(.invalidRequest, "A password has 1 to 72 bytes, none of them zero.")
    }
    guard BcryptHash.costs.contains(cost) else {
        throw ServiceError(.invalidRequest, "The cost of a bcrypt hash is a number from 4 to 16.")
    }
    let salt = randomBytes(16).map { CChar(bitPattern: $0) }
    var setting = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
    guard crypt_gensalt_rn("$2y$", UInt(cost), salt, Int32(salt.count), &setting, Int32(setting.count)) != nil,
        let hash = bcrypt(Array(password.utf8), setting: setting)
    else { throw ServiceError(.internalError, "The system's libcrypt cannot compute bcrypt hashes.") }
    return String(decoding: hash, as: UTF8.self)
}

/// A stored hash, known to be bcrypt.
struct BcryptHash: Sendable, Hashable {
    let text: String
    /// Binary logarithm of the number of rounds.
    let cost: Int

    /// Beyond 16 a single check would keep a thread busy for seconds.
    static let costs = 4...16

    /// - Returns: `nil` unless it is `$2y$`, `$2a$` or `$2b$`, a cost of 04 to 16 and 53 characters of salt and hash.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 60, ["$2a$", "$2b$", "$2y$"].contains(where: text.hasPrefix) else { return nil }
        guard bytes[6] == UInt8(ascii: "$"), let cost = Int(String(decoding: bytes[4...5], as: UTF8.self)),
            Self.costs.contains(cost)
        else { return nil }
        let isDigit = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        guard bytes[4...5].allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            bytes[7...].allSatisfy(isDigit)
        else { return nil }
        self.text = text
        self.cost = cost
    }

    /// A hash that takes as long to check as another of that cost, and that no password is known for.
    static func dummy(cost: Int) -> BcryptHash {
        let digits = cost < 10 ? "0\(cost)" : "\(cost)"
        guard let hash = BcryptHash("$2y$\(digits)$" + String(repeating: ".", count: 53)) else {
            preconditionFailure("\(cost) is no cost")
        }
        return hash
    }

    /// Whether the password is the one that was hashed. Blocks for as long as the cost says.
    @Sendable
    static func check(_ password: [UInt8], _ stored: BcryptHash) -> Bool {
        guard let hash = bcrypt(password, setting: stored.text.utf8CString.map { $0 }) else { return false }
        return equalInConstantTime(hash, Array(stored.text.utf8))
    }
}

/// The hash of a password by a setting: a hash, or its beginning up to the salt, that ends with a zero.
///
/// - Returns: `nil` when libcrypt refuses the setting, or a password of 512 bytes and more.
private func bcrypt(_ password: [UInt8], setting: [CChar]) -> [UInt8]? {
    let phrase = password.map { CChar(bitPattern: $0) } + [0]
    // 32 KiB, too much for the stack of a small thread. libcrypt wants it zeroed before; afterwards it holds traces of
    // the password.
    let byteCount = MemoryLayout<crypt_data>.size
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: MemoryLayout<crypt_data>.alignment)
    scratch.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    defer {
        explicit_bzero(scratch, byteCount)
        scratch.deallocate()
    }
    guard let output = crypt_rn(phrase, setting, scratch, Int32(byteCount)) else { return nil }
    return UnsafeBufferPointer(start: output, count: strlen(output)).map { UInt8(bitPattern: $0) }
}
