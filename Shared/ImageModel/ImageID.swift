/// The identifier of an image: a UUID in the case in which it was given. Upper and lower case make different images.
public struct ImageID: Sendable, Hashable, CustomStringConvertible {
    public let text: String

    /// - Returns: `nil` unless the text is 32 hexadecimal digits grouped 8-4-4-4-12 (Image API v2, image schema).
    ///   An id that is none cannot belong to an image, so a look-up answers "not found", never "bad request".
    public init?(_ text: String) {
        guard text.utf8.count == 36 else { return nil }
        var index = 0
        for byte in text.utf8 {
            switch index {
            case 8, 13, 18, 23:
                guard byte == UInt8(ascii: "-") else { return nil }
            default:
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                    UInt8(ascii: "A")...UInt8(ascii: "F"):
                    break
                default: return nil
                }
            }
            index += 1
        }
        self.text = text
    }

    public var description: String { text }
}
