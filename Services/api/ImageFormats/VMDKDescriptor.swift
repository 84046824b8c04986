/// The text in a VMDK that says what it is made of. Readers differ in how they parse it, so only what all of them must
/// read alike is accepted. They compare bytes, not letters, and so does this.
struct VMDKDescriptor: Sendable {
    private typealias Text = ArraySlice<UInt8>

    private static let acceptedTypes = ["streamoptimized", "monolithicsparse"]
    private static let accessModes = ["rw", "rdonly", "noaccess"]
    private static let sparse = "sparse"
    private static let zeroes = "zero"
    private static let noParent = "ffffffff"

    /// In lower case, as far as it is ASCII: names may be in any encoding, and what matters is ASCII in all of them.
    private let text: [UInt8]

    /// - Parameter bytes: The descriptor's sectors; the text ends at the first NUL.
    init(_ bytes: ByteView) { text = bytes.array.prefix { $0 != 0 }.map(\.asciiLowercased) }

    /// Some readers search the whole text for a parent's name, comments included.
    var namesParent: Bool { text.contains("parentfilenamehint".utf8) }

    var violations: [SafetyViolation] {
        guard !namesParent else { return [.init(.backingFile, "a parent's name")] }
        guard text.ranges(of: "createtype".utf8).count == 1, text.ranges(of: "parentcid".utf8).count <= 1 else {
            return [.init(.descriptor, "a type or a parent that is not stated once")]
        }
        // A lone carriage return ends a line for some readers and not for others: here it does.
        let lines = text.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }.map(\.trimmed)
        var type: Text?
        var extents = 0
        for line in lines where !line.isEmpty && !line.starts(with: "#".utf8) && !line.starts(with: "ddb".utf8) {
            if Self.isExtent(line) {
                guard !Self.hasPath(line) else { return [.init(.descriptor, "an extent with a path")] }
                switch Self.extentType(line) {
                case Self.zeroes: break
                case Self.sparse: extents += 1
                default: return [.init(.descriptor, "an extent of a type that is another file")]
                }
            } else if let (key, value) = Self.assignment(line) {
                guard !Self.hasPath(value) else { return [.init(.descriptor, "a path")] }
                if key.elementsEqual("createtype".utf8) { type = value }
                guard !key.elementsEqual("parentcid".utf8) || value.elementsEqual(Self.noParent.utf8) else {
                    return [.init(.backingFile, "a parent")]
                }
            } else {
                return [.init(.descriptor, "a line that is none of a descriptor's")]
            }
        }
        guard let type, Self.acceptedTypes.contains(where: { type.elementsEqual($0.utf8) }) else {
            return [.init(.descriptor, "a type other than streamOptimized and monolithicSparse")]
        }
        // The file itself is one, and another would be another file.
        guard extents == 1 else { return [.init(.descriptor, extents == 0 ? "no extent" : "a second extent")] }
        return []
    }

    private static func isExtent(_ line: Text) -> Bool {
        let mode = line.prefix { !$0.isASCIISpace }
        return accessModes.contains { mode.elementsEqual($0.utf8) }
    }

    /// The third word of a line `access size type "name"`.
    private static func extentType(_ line: Text) -> String {
        let words = line.split(maxSplits: 3) { $0.isASCIISpace }
        return words.count > 2 ? String(decoding: words[2], as: UTF8.self) : ""
    }

    private static func hasPath(_ text: Text) -> Bool {
        text.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
    }

    /// `word = value`, the value without its quotes.
    private static func assignment(_ line: Text) -> (key: Text, value: Text)? {
        guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let key = line[..<equals].trimmed
        guard !key.isEmpty,
            key.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") })
        else { return nil }
        var value = line[line.index(after: equals)...].trimmed
        let quote = UInt8(ascii: "\"")
        if value.count >= 2, value.first == quote, value.last == quote { value = value.dropFirst().dropLast() }
        return (key, value)
    }
}

extension VMDKDescriptor {
    /// So much of a file QEMU looks at to find out what it is.
    private static let probedByteCount = 512

    /// Whether a file that begins with `head` is a descriptor for who is not told what it is.
    static func isAlone(_ head: ByteView) -> Bool {
        let start = head.padded(to: probedByteCount).array
        return isTitled(start) || isProbed(start)
    }

    /// The first line of every descriptor that a tool writes; readers are not strict about blanks.
    private static func isTitled(_ start: [UInt8]) -> Bool {
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = start.starts(with: byteOrderMark) ? start.dropFirst(byteOrderMark.count) : start[...]
        return text.lazy.filter { !$0.isASCIISpace }.map(\.asciiLowercased).starts(with: "#diskdescriptorfile".utf8)
    }

    /// What QEMU probes for: a line `version=1`, 2 or 3, behind nothing but comments and lines of blanks.
    private static func isProbed(_ start: [UInt8]) -> Bool {
        let lineFeed = UInt8(ascii: "\n")
        var rest = start[...]
        while let first = rest.first {
            switch first {
            case UInt8(ascii: "#"):
                rest = rest.drop { $0 != lineFeed }.dropFirst()
            case UInt8(ascii: " "):
                rest = rest.drop { $0 == UInt8(ascii: " ") }
                if rest.first == UInt8(ascii: "\r") { rest = rest.dropFirst() }
                guard rest.first == lineFeed else { return false }
                rest = rest.dropFirst()
            default:
                guard rest.starts(with: "version=".utf8) else { return false }
                let value = rest.dropFirst("version=".utf8.count)
                let end = value.dropFirst()
                return value.first.map { (UInt8(ascii: "1")...UInt8(ascii: "3")).contains($0) } ?? false
                    && (end.starts(with: "\n".utf8) || end.starts(with: "\r\n".utf8))
            }
        }
        return false
    }
}

extension UInt8 {
    /// As C's `isspace` in its own locale.
    fileprivate var isASCIISpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }

    /// As C's `tolower` in its own locale.
    var asciiLowercased: UInt8 { (0x41...0x5A).contains(self) ? self + 0x20 : self }
}

extension ArraySlice<UInt8> {
    fileprivate var trimmed: ArraySlice<UInt8> {
        let start = drop(while: \.isASCIISpace)
        guard let last = start.lastIndex(where: { !$0.isASCIISpace }) else { return start.prefix(0) }
        return start[...last]
    }
}
