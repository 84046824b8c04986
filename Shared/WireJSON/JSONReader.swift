/// Why a text is not JSON: a sentence and the offset in bytes at which it stopped being JSON.
public struct JSONSyntaxError: Error, Equatable {
    public var reason: String
    public var offset: Int
}

/// Why a text is not what its reader expects: no JSON, or JSON of another shape.
public enum JSONReadError: Error, Equatable {
    case syntax(JSONSyntaxError)
    case shape(JSONShapeError)
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
        do throws(JSONReadError) {
            return .success(try reader.document())
        } catch {
            switch error {
            case .syntax(let error): return .failure(error)
            // A tree has whatever shape the text has.
            case .shape(let error): return .failure(JSONSyntaxError(reason: error.reason, offset: 0))
            }
        }
    }
}

/// Reads one JSON text from memory, from its beginning to its end: as a tree (``value()``), or member by member without
/// one, for what is read so often that a tree would show.
///
/// ```swift
/// try reader.beginObject()
/// while let name = try reader.nextName() {
///     switch name {
///     case "id": id = try reader.string("id")
///     default: try reader.skip()
///     }
/// }
/// ```
///
/// A member that stands there twice is met twice; the last one counts, as in a tree.
public struct JSONReader {
    private let bytes: UnsafeRawBufferPointer
    private let depthLimit: Int
    private var offset = 0
    private var depth = 0
    /// Whether the object or array that was begun last has had no member yet.
    private var isFirst = false

    /// - Parameter bytes: memory that stays valid as long as the reader and the names that it gives are used.
    public init(bytes: UnsafeRawBufferPointer, depthLimit: Int = 64) {
        self.bytes = bytes
        self.depthLimit = depthLimit
    }

    private func failure(_ reason: String) -> JSONReadError {
        .syntax(JSONSyntaxError(reason: reason, offset: offset))
    }

    mutating func document() throws(JSONReadError) -> JSONValue {
        let value = try value()
        try end()
        return value
    }

    /// - Throws: when there is more than white space behind what was read.
    public mutating func end() throws(JSONReadError) {
        skipSpace()
        guard offset == bytes.count else { throw failure("unexpected text after the value") }
    }

    private mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            default: return
            }
        }
    }

    /// The first byte of what comes next; `nil` at the end.
    mutating func peek() -> UInt8? {
        skipSpace()
        return offset < bytes.count ? bytes[offset] : nil
    }

    /// The next value, whatever it is.
    public mutating func value() throws(JSONReadError) -> JSONValue {
        guard let byte = peek() else { throw failure("the text ends where a value is expected") }
        switch byte {
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "["): return .array(try array())
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw failure("a value is expected")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONReadError) -> JSONValue {
        let length = word.utf8CodeUnitCount
        guard offset + length <= bytes.count else { throw failure("a value is expected") }
        for index in 0..<length where bytes[offset + index] != word.utf8Start[index] {
            throw failure("a value is expected")
        }
        offset += length
        return value
    }

    // MARK: Objects and arrays

    /// Goes into the object that comes next; ``nextName()`` leads through it, and out of it.
    public mutating func beginObject() throws(JSONReadError) { try begin(UInt8(ascii: "{")) }

    /// Goes into the array that comes next; ``hasNextElement()`` leads through it, and out of it.
    public mutating func beginArray() throws(JSONReadError) { try begin(UInt8(ascii: "[")) }

    private mutating func begin(_ byte: UInt8) throws(JSONReadError) {
        guard peek() == byte else { throw failure("'\(Character(Unicode.Scalar(byte)))' is expected") }
        depth += 1
        guard depth <= depthLimit else { throw failure("nested more than \(depthLimit) deep") }
        offset += 1
        isFirst = true
    }

    /// The name of the object's next member, whose value has to be read or skipped next; `nil` at the object's end.
    public mutating func nextName() throws(JSONReadError) -> JSONName? {
        guard try goesOn(until: UInt8(ascii: "}"), "the object is not closed", "',' or '}' is expected") else {
            return nil
        }
        guard peek() == UInt8(ascii: "\"") else { throw failure("a name is expected") }
        let name = try name()
        guard peek() == UInt8(ascii: ":") else { throw failure("':' is expected") }
        offset += 1
        return name
    }

    /// Whether there is another element in the array, which has to be read or skipped next.
    public mutating func hasNextElement() throws(JSONReadError) -> Bool {
        try goesOn(until: UInt8(ascii: "]"), "the array is not closed", "',' or ']' is expected")
    }

    private mutating func goesOn(
        until closing: UInt8,
        _ unclosed: StaticString,
        _ unseparated: StaticString
    ) throws(JSONReadError) -> Bool {
        guard let byte = peek() else { throw failure("\(unclosed)") }
        let isFirst = isFirst
        self.isFirst = false
        if byte == closing {
            offset += 1
            depth -= 1
            return false
        }
        if isFirst { return true }
        guard byte == UInt8(ascii: ",") else { throw failure("\(unseparated)") }
        offset += 1
        return true
    }

    /// Passes over the next value, which has to be JSON all the same.
    public mutating func skip() throws(JSONReadError) {
        switch peek() {
        case UInt8(ascii: "{"):
            try beginObject()
            while try nextName() != nil { try skip() }
        case UInt8(ascii: "["):
            try beginArray()
            while try hasNextElement() { try skip() }
        default: _ = try value()
        }
    }

    private mutating func object() throws(JSONReadError) -> JSONObject {
        var members = JSONObject()
        try beginObject()
        while let name = try nextName() { members[name.text] = try value() }
        return members
    }

    private mutating func array() throws(JSONReadError) -> [JSONValue] {
        var elements: [JSONValue] = []
        try beginArray()
        while try hasNextElement() { elements.append(try value()) }
        return elements
    }

    // MARK: Numbers and texts

    private mutating func name() throws(JSONReadError) -> JSONName {
        var end = offset + 1
        while end < bytes.count {
            switch bytes[end] {
            case UInt8(ascii: "\""):
                let name = JSONName(plain: UnsafeRawBufferPointer(rebasing: bytes[(offset + 1)..<end]))
                offset = end + 1
                return name
            case UInt8(ascii: "\\"), 0..<0x20, 0x80...: return JSONName(decoded: try string())
            default: end += 1
            }
        }
        return JSONName(decoded: try string())
    }

    private mutating func number() throws(JSONReadError) -> JSONValue {
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
        if isInteger, let value = integer(start..<offset) { return .integer(value) }
        // Only ASCII was passed over.
        let text = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<offset]), as: UTF8.self)
        guard let value = Double(text), value.isFinite else { throw failure("the number is too large") }
        return .double(value)
    }

    /// The value of digits with or without a minus; `nil` beyond 64 bits.
    private func integer(_ range: Range<Int>) -> Int64? {
        let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
        var value: Int64 = 0
        for index in range.dropFirst(isNegative ? 1 : 0) {
            let digit = Int64(bytes[index] - UInt8(ascii: "0"))
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, exceeds) =
                isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            guard !overflows, !exceeds else { return nil }
            value = sum
        }
        return value
    }

    mutating func string() throws(JSONReadError) -> String {
        offset += 1
        let start = offset
        var seen: UInt8 = 0
        // Most strings have no escapes: one copy, which ASCII need not be validated for.
        while offset < bytes.count {
            let byte = bytes[offset]
            seen |= byte
            if byte == UInt8(ascii: "\"") {
                let plain = UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
                let text =
                    seen < 0x80 ? String(decoding: plain, as: UTF8.self) : String(validating: plain, as: UTF8.self)
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

    private mutating func escape(into buffer: inout ContiguousArray<UInt8>) throws(JSONReadError) {
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

    private mutating func hexadecimal() throws(JSONReadError) -> UInt16 {
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
