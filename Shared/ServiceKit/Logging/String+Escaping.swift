extension Unicode.Scalar {
    /// Whether it could end a line, drive a terminal or change the direction of what follows: control characters, line and
    /// paragraph separators, and the marks that reorder text.
    var isUnsafeInLine: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

extension String {
    /// The text as it may stand in a line that others read: one line, nothing that acts on a terminal.
    public var escapedForOneLine: String {
        var bytes: [UInt8] = []
        bytes.append(escaping: self)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension [UInt8] {
    /// Appends the text with what is unsafe in a line as `\n`, `\x1b` or `\u202e`, and with a backslash before each of
    /// `marks`, which are ASCII.
    mutating func append(escaping text: String, marks: [UInt8] = []) {
        if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) && !marks.contains($0) }) {
            append(contentsOf: text.utf8)
            return
        }
        for scalar in text.unicodeScalars {
            if scalar.isUnsafeInLine {
                append(contentsOf: scalar.escape.utf8)
            } else {
                if scalar.isASCII, marks.contains(UInt8(ascii: scalar)) { append(UInt8(ascii: "\\")) }
                append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
    }
}

extension Unicode.Scalar {
    fileprivate var escape: String {
        switch self {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default:
            let digits = String(value, radix: 16)
            let width = value < 0x100 ? 2 : 4
            return (width == 2 ? "\\x" : "\\u") + String(repeating: "0", count: width - digits.count) + digits
        }
    }
}
