/// What a memcached server answers to `get` and `set` of one key (its text protocol).
enum MemcachedReply: Sendable, Equatable {
    case value([UInt8])
    case miss
    case stored
    /// It will not, for a reason of its own: out of memory, too large.
    case refused
}

/// Reads replies out of what arrives, in pieces of any size.
struct MemcachedReplyReader {
    private var bytes: [UInt8] = []
    private static let lineLimit = 512
    private static let valueLimit = 1 << 20

    /// The server says something that no server says; the connection is good for nothing any more.
    struct Garbage: Error {}

    mutating func feed(_ more: some Sequence<UInt8>) { bytes += more }

    /// - Returns: `nil` until a whole reply has arrived.
    mutating func next() throws(Garbage) -> MemcachedReply? {
        guard let end = endOfLine(from: 0) else {
            guard bytes.count <= Self.lineLimit else { throw Garbage() }
            return nil
        }
        let words = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ")
        switch words.first {
        case "VALUE":
            guard words.count >= 4, let count = Int(words[3]), (0...Self.valueLimit).contains(count) else {
                throw Garbage()
            }
            let start = end + 2
            let ending = Array("\r\nEND\r\n".utf8)
            guard bytes.count >= start + count + ending.count else { return nil }
            let value = Array(bytes[start..<(start + count)])
            guard bytes[(start + count)...].starts(with: ending) else { throw Garbage() }
            bytes.removeFirst(start + count + ending.count)
            return .value(value)
        case "END": return drop(end, .miss)
        case "STORED": return drop(end, .stored)
        case "NOT_STORED", "SERVER_ERROR": return drop(end, .refused)
        default: throw Garbage()
        }
    }

    private mutating func drop(_ end: Int, _ reply: MemcachedReply) -> MemcachedReply {
        bytes.removeFirst(end + 2)
        return reply
    }

    private func endOfLine(from start: Int) -> Int? {
        bytes[start...].indices.first { index in
            bytes[index] == UInt8(ascii: "\r") && index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "\n")
        }
    }
}
