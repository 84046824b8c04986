internal import FoundationEssentials
internal import Glibc

/// The secrets that the two services share. The first signs, all verify, so that a key can be replaced without a pause:
/// put the new key second on every node, then first on every node, then take the old one away.
public struct RegistryKeys: Sendable {
    public struct Key: Sendable {
        public var id: String
        public var secret: [UInt8]

        public init(id: String, secret: [UInt8]) {
            self.id = id
            self.secret = secret
        }
    }

    /// What is wrong with a key file: a sentence for the operator, without any part of a secret.
    public struct Fault: Error, CustomStringConvertible {
        public var description: String
    }

    private let keys: [Key]

    public init(_ keys: [Key]) {
        precondition(!keys.isEmpty, "a service without keys can speak to nobody")
        self.keys = keys
    }

    public var signing: Key { keys[0] }

    public subscript(id: String) -> Key? { keys.first { $0.id == id } }

    /// Reads lines `key-id base64-secret`; `#` begins a comment. A secret has at least 32 bytes.
    public init(parsing text: String, name: String) throws(Fault) {
        var keys: [Key] = []
        // A carriage return and its line feed are one character.
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
            if words.isEmpty { continue }
            guard words.count == 2, let secret = Data(base64Encoded: String(words[1])) else {
                throw Fault(description: "\(name):\(index + 1): a line must read 'key-id base64-secret'")
            }
            guard secret.count >= 32 else {
                throw Fault(description: "\(name):\(index + 1): the secret is shorter than 32 bytes")
            }
            let id = String(words[0])
            guard !keys.contains(where: { $0.id == id }) else {
                throw Fault(description: "\(name):\(index + 1): the key id '\(id)' is there twice")
            }
            keys.append(Key(id: id, secret: Array(secret)))
        }
        guard !keys.isEmpty else { throw Fault(description: "\(name) holds no key") }
        self.keys = keys
    }

    /// Reads a key file, which must be a regular file that nobody but its owner may read or write (mode 0600 or 0400).
    public init(file path: String) throws(Fault) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw Fault(description: "the key file \(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Fault(description: "the key file \(path) is not a regular file")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw Fault(description: "the key file \(path) can be read by others: run 'chmod 600 \(path)'")
        }
        guard status.st_size <= 65_536 else { throw Fault(description: "the key file \(path) is too large") }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count else { throw Fault(description: "the key file \(path) cannot be read whole") }
        try self.init(parsing: String(decoding: bytes, as: UTF8.self), name: path)
    }
}
