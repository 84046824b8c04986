/// The text in a VMDK that says what it is made of. Readers differ in how they parse it, so only what all of them must
/// read alike is accepted.
struct VMDKDescriptor: Sendable {
    private static let acceptedTypes = ["streamoptimized", "monolithicsparse"]
    private static let accessModes = ["rw", "rdonly", "noaccess"]
    private static let noParent = "ffffffff"

    private let text: String

    /// - Parameter bytes: The descriptor's sectors; the text ends at the first NUL.
    init(_ bytes: ByteView) {
        // Names may be in any encoding; what matters here is ASCII in all of them.
        text = String(decoding: bytes.array.prefix { $0 != 0 }, as: UTF8.self).lowercased()
    }

    var violations: [SafetyViolation] {
        // Some readers search the whole text for these words, comments included.
        guard !text.contains("parentfilenamehint") else { return [.init(.backingFile, "a parent's name")] }
        guard count(of: "createtype") == 1, count(of: "parentcid") <= 1 else {
            return [.init(.descriptor, "a type or a parent that is not stated once")]
        }
        // A lone carriage return ends a line for some readers and not for others: here it does.
        let lines = text.split(whereSeparator: \.isNewline).map(\.trimmed)
        var type: Substring?
        var extents = 0
        for line in lines where !line.isEmpty && !line.hasPrefix("#") && !line.hasPrefix("ddb") {
            if Self.isExtent(line) {
                guard !line.contains("/") else { return [.init(.descriptor, "an extent with a path")] }
                extents += 1
            } else if let (key, value) = Self.assignment(line) {
                if key == "createtype" { type = value }
                guard key != "parentcid" || value == Self.noParent else { return [.init(.backingFile, "a parent")] }
            } else {
                return [.init(.descriptor, "a line that is none of a descriptor's")]
            }
        }
        guard let type, Self.acceptedTypes.contains(String(type)) else {
            return [.init(.descriptor, "a type other than streamOptimized and monolithicSparse")]
        }
        guard extents > 0 else { return [.init(.descriptor, "no extent")] }
        return []
    }

    private func count(of word: String) -> Int { text.ranges(of: word).count }

    private static func isExtent(_ line: Substring) -> Bool {
        line.split(whereSeparator: \.isWhitespace).first.map { accessModes.contains(String($0)) } ?? false
    }

    /// `word = value`, the value without its quotes.
    private static func assignment(_ line: Substring) -> (key: Substring, value: Substring)? {
        guard let equals = line.firstIndex(of: "=") else { return nil }
        let key = line[..<equals].trimmed
        guard !key.isEmpty,
            key.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F })
        else { return nil }
        var value = line[line.index(after: equals)...].trimmed
        if value.count >= 2, value.first == "\"", value.last == "\"" { value = value.dropFirst().dropLast() }
        return (key, value)
    }
}

extension StringProtocol where SubSequence == Substring {
    fileprivate var trimmed: Substring {
        let start = self[...].drop(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return start.prefix(0) }
        return start[...last]
    }
}
