extension String {
    private static let hexadecimal = Array("0123456789ABCDEF".unicodeScalars)

    /// The text as it may stand in a segment of a path and in a value of a query: everything but letters, digits and `-._~`
    /// as the hexadecimal of its UTF-8 (RFC 3986 §2.3).
    public var percentEscaped: String {
        utf8.reduce(into: "") { text, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                text.unicodeScalars.append("%")
                text.unicodeScalars.append(Self.hexadecimal[Int(byte >> 4)])
                text.unicodeScalars.append(Self.hexadecimal[Int(byte & 15)])
            }
        }
    }
}
