/// Why a text is not JSON: a sentence and the offset in bytes at which it stopped being JSON.
public struct JSONSyntaxError: Error, Equatable {
    public var reason: String
    public var offset: Int
}

extension JSONValue {
    /// Reads one JSON text (RFC 8259): UTF-8, one value, nothing after it but white space.
    ///
    /// Time and memory grow with the length of the text alone; nesting is bounded.
    ///
    /// - Parameter depthLimit: How many arrays and objects may be nested.
    /// - Throws: ``JSONSyntaxError``, also for bytes that are not UTF-8 and for lone surrogates.
    public init(
        parsing bytes: some Collection<UInt8>,
        depthLimit: Int = 64
    ) throws(JSONSyntaxError) {
        let result: Result<JSONValue, JSONSyntaxError>? = bytes.withContiguousStorageIfAvailable { buffer in
            Self.parse(UnsafeRawBufferPointer(buffer), depthLimit)
        }
        if let result {
            self = try result.get()
        } else {
            let copy = ContiguousArray(bytes)
            self = try copy.withUnsafeBytes { Self.parse($0, depthLimit) }.get()
        }
    }

    /// Reads one JSON text from memory that stays valid during the call; otherwise as ``init(parsing:depthLimit:)``.
    public init(parsing bytes: UnsafeRawBufferPointer, depthLimit: Int = 64) throws(JSONSyntaxError) {
        self = try Self.parse(bytes, depthLimit).get()
    }

    private static func parse(_ bytes: UnsafeRawBufferPointer, _ depthLimit: Int) -> Result<JSONValue, JSONSyntaxError>
    {
        var reader = JSONReader(bytes: bytes, depthLimit: depthLimit)
        do throws(JSONSyntaxError) {
            return .success(try reader.document())
        } catch {
            return .failure(error)
        }
    }
}

/// A recursive-descent reader over bytes in memory.
private struct JSONReader {
    let bytes: UnsafeRawBufferPointer
    let depthLimit: Int
    var offset = 0
    var depth = 0

    init(bytes: UnsafeRawBufferPointer, depthLimit: Int) {
        self.bytes = bytes
        self.depthLimit = depthLimit
    }

    func failure(_ reason: String) -> JSONSyntaxError { JSONSyntaxError(reason: reason, offset: offset) }

    mutating func document() throws(JSONSyntaxError) -> JSONValue {
        let value = try value()
        skipSpace()
        guard offset == bytes.count else { throw failure("unexpected text after the value") }
        return value
    }

    mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            default: return
            }
        }
    }

    mutating func value() throws(JSONSyntaxError) -> JSONValue {
        skipSpace()
        guard offset < bytes.count else { throw failure("the text ends where a value is expected") }
        switch bytes[offset] {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw failure("a value is expected")
        }
    }

    mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        let length = word.utf8CodeUnitCount
        guard offset + length <= bytes.count else { throw failure("a value is expected") }
        for index in 0..<length where bytes[offset + index] != word.utf8Start[index] {
            throw failure("a value is expected")
        }
        offset += length
        return value
    }

    mutating func enter() throws(JSONSyntaxError) {
        depth += 1
        guard depth <= depthLimit else { throw failure("nested more than \(depthLimit) deep") }
        offset += 1
    }

    mutating func object() throws(JSONSyntaxError) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        var members = JSONObject()
        skipSpace()
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "}") {
            offset += 1
            return .object(members)
        }
        while true {
            skipSpace()
            guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else { throw failure("a name is expected") }
            let name = try string()
            skipSpace()
            guard offset < bytes.count, bytes[offset] == UInt8(ascii: ":") else { throw failure("':' is expected") }
            offset += 1
            members[name] = try value()
            skipSpace()
            guard offset < bytes.count else { throw failure("the object is not closed") }
            switch bytes[offset] {
            case UInt8(ascii: ","): offset += 1
            case UInt8(ascii: "}"):
                offset += 1
                return .object(members)
            default: throw failure("',' or '}' is expected")
            }
        }
    }

    mutating func array() throws(JSONSyntaxError) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        var elements: [JSONValue] = []
        skipSpace()
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "]") {
            offset += 1
            return .array(elements)
        }
        while true {
            elements.append(try value())
            skipSpace()
            guard offset < bytes.count else { throw failure("the array is not closed") }
            switch bytes[offset] {
            case UInt8(ascii: ","): offset += 1
            case UInt8(ascii: "]"):
                offset += 1
                return .array(elements)
            default: throw failure("',' or ']' is expected")
            }
        }
    }

    mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = offset
        func isDigit(_ index: Int) -> Bool {
            index < bytes.count && bytes[index] >= UInt8(ascii: "0") && bytes[index] <= UInt8(ascii: "9")
        }
        if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
        guard isDigit(offset) else { throw failure("a digit is expected") }
        if bytes[offset] == UInt8(ascii: "0") {
            offset += 1
            guard !isDigit(offset) else { throw failure("a number may not begin with 0") }
        } else {
            while isDigit(offset) { offset += 1 }
        }
        var isInteger = true
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            isInteger = false
            offset += 1
            guard isDigit(offset) else { throw failure("a digit is expected") }
            while isDigit(offset) { offset += 1 }
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            offset += 1
            if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-") {
                offset += 1
            }
            guard isDigit(offset) else { throw failure("a digit is expected") }
            while isDigit(offset) { offset += 1 }
        }
        // Only ASCII was passed over.
        let text = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<offset]), as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw failure("the number is too large") }
        return .double(value)
    }

    mutating func string() throws(JSONSyntaxError) -> String {
        offset += 1
        let start = offset
        // Most strings have no escapes: one validated copy.
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                let text = String(validating: UnsafeRawBufferPointer(rebasing: bytes[start..<offset]), as: UTF8.self)
                guard let text else { throw failure("the string is not UTF-8") }
                offset += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { break }
            guard byte >= 0x20 else { throw failure("a control character must be escaped") }
            offset += 1
        }
        var buffer = ContiguousArray(bytes[start..<offset])
        while offset < bytes.count {
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: buffer, as: UTF8.self) else {
                    throw failure("the string is not UTF-8")
                }
                offset += 1
                return text
            case UInt8(ascii: "\\"):
                offset += 1
                try escape(into: &buffer)
            case 0..<0x20:
                throw failure("a control character must be escaped")
            default:
                buffer.append(byte)
                offset += 1
            }
        }
        throw failure("the string is not closed")
    }

    mutating func escape(into buffer: inout ContiguousArray<UInt8>) throws(JSONSyntaxError) {
        guard offset < bytes.count else { throw failure("the string is not closed") }
        let byte = bytes[offset]
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(byte)
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"):
            var code = UInt32(try hexadecimal())
            if (0xD800..<0xDC00).contains(code) {
                guard offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
                    bytes[offset + 1] == UInt8(ascii: "u")
                else { throw failure("a surrogate stands alone") }
                offset += 2
                let low = UInt32(try hexadecimal())
                guard (0xDC00..<0xE000).contains(low) else { throw failure("a surrogate stands alone") }
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("a surrogate stands alone") }
            buffer.append(contentsOf: Array(String(Character(scalar)).utf8))
        default:
            throw failure("an unknown escape")
        }
    }

    mutating func hexadecimal() throws(JSONSyntaxError) -> UInt16 {
        guard offset + 4 <= bytes.count else { throw failure("four hexadecimal digits are expected") }
        var value: UInt16 = 0
        for index in offset..<offset + 4 {
            guard let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue, bytes[index] < 0x80 else {
                throw failure("four hexadecimal digits are expected")
            }
            value = value << 4 | UInt16(digit)
        }
        offset += 4
        return value
    }
}
