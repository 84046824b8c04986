internal import Policy
internal import WireJSON

extension PolicyQuestion {
    /// One JSON document.
    var document: (type: String, body: [UInt8]) {
        var object = JSONObject()
        object["rule"] = .string(rule)
        object["target"] = .object(target)
        object["credentials"] = .object(credentials)
        return ("application/json", Self.bytes(.object(object)))
    }

    /// A form, of which each field holds JSON.
    var form: (type: String, body: [UInt8]) {
        let fields: [(name: String, value: JSONValue)] = [
            ("rule", .string(rule)), ("target", .object(target)), ("credentials", .object(credentials)),
        ]
        let parts = fields.map { Array($0.name.utf8) + [UInt8(ascii: "=")] + Self.escaped(Self.bytes($0.value)) }
        return ("application/x-www-form-urlencoded", Array(parts.joined(separator: [UInt8(ascii: "&")])))
    }

    private static func bytes(_ value: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(value)
        return writer.bytes
    }

    /// Everything but letters, digits and `-._~` in hexadecimal.
    private static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return bytes.reduce(into: []) { text, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.append(byte)
            default: text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }
}
