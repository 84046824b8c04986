/// Writes JSON text straight into memory: no tree, no reflection. The hot documents (an image, a list of images) cost
/// what their bytes cost.
///
/// ```swift
/// var writer = JSONWriter()
/// writer.object { writer in
///     writer.field("id", id)
///     writer.field("tags", strings: tags)
/// }
/// ```
public struct JSONWriter: Sendable {
    public private(set) var bytes: [UInt8]
    /// Whether the next member or element follows another one.
    private var follows = false

    public init(reserving capacity: Int = 1024) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    public var text: String { String(decoding: bytes, as: UTF8.self) }

    // MARK: Values

    public mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        begin()
        bytes.append(UInt8(ascii: "{"))
        follows = false
        try body(&self)
        bytes.append(UInt8(ascii: "}"))
        follows = true
    }

    @inlinable
    public mutating func array<Elements: Sequence>(
        _ elements: Elements,
        _ body: (inout JSONWriter, Elements.Element) throws -> Void
    ) rethrows {
        try array { writer in
            for element in elements { try body(&writer, element) }
        }
    }

    /// An array whose elements `body` writes.
    public mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
        begin()
        bytes.append(UInt8(ascii: "["))
        follows = false
        try body(&self)
        bytes.append(UInt8(ascii: "]"))
        follows = true
    }

    public mutating func string(_ value: String) {
        begin()
        quote(value)
        follows = true
    }

    public mutating func integer(_ value: some BinaryInteger) {
        if let value = Int64(exactly: value) { return integer(value) }
        begin()
        bytes.append(contentsOf: String(value).utf8)
        follows = true
    }

    public mutating func integer(_ value: Int64) {
        begin()
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        digits(of: value.magnitude)
        follows = true
    }

    private mutating func digits(of value: UInt64) {
        // The largest has twenty digits.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = digits.count
            var rest = value
            repeat {
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
                rest = quotient
            } while rest > 0
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
        }
    }

    public mutating func bool(_ value: Bool) {
        begin()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
        follows = true
    }

    public mutating func null() {
        begin()
        bytes.append(contentsOf: "null".utf8)
        follows = true
    }

    public mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .integer(let value): integer(value)
        case .double(let value):
            begin()
            bytes.append(contentsOf: "\(value)".utf8)
            follows = true
        case .string(let value): string(value)
        case .array(let elements): array(elements) { $0.value($1) }
        case .object(let object): members(of: object)
        }
    }

    private mutating func members(of object: JSONObject) {
        self.object { writer in
            for member in object.members { writer.field(member.name, member.value) }
        }
    }

    // MARK: Members

    /// The name of the member whose value is written next.
    public mutating func name(_ name: String) {
        begin()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        follows = false
    }

    public mutating func field(_ name: String, _ value: String) {
        self.name(name)
        string(value)
    }

    /// Writes `null` where there is no value.
    public mutating func field(_ name: String, _ value: String?) {
        self.name(name)
        if let value { string(value) } else { null() }
    }

    /// A text that lies in memory as UTF-8, or `null`.
    public mutating func field(_ name: String, utf8 value: UnsafeBufferPointer<UInt8>?) {
        guard let value else { return field(name, JSONValue.null) }
        self.name(name)
        begin()
        quote(value)
        follows = true
    }

    /// A value that lies in memory as JSON, for which the caller vouches; where there is none, `empty`.
    public mutating func field(_ name: String, json value: UnsafeBufferPointer<UInt8>?, otherwise empty: StaticString) {
        self.name(name)
        begin()
        bytes.append(contentsOf: value ?? UnsafeBufferPointer(start: empty.utf8Start, count: empty.utf8CodeUnitCount))
        follows = true
    }

    public mutating func field(_ name: String, _ value: some BinaryInteger) {
        self.name(name)
        integer(value)
    }

    public mutating func field(_ name: String, _ value: Int64) {
        self.name(name)
        integer(value)
    }

    /// Writes `null` where there is no value.
    public mutating func field(_ name: String, _ value: Int64?) {
        self.name(name)
        if let value { integer(value) } else { null() }
    }

    public mutating func field(_ name: String, _ value: Bool) {
        self.name(name)
        bool(value)
    }

    public mutating func field(_ name: String, _ value: JSONValue) {
        self.name(name)
        self.value(value)
    }

    public mutating func field(_ name: String, object body: (inout JSONWriter) throws -> Void) rethrows {
        self.name(name)
        try object(body)
    }

    @inlinable
    public mutating func field<Elements: Sequence>(
        _ name: String,
        array elements: Elements,
        _ body: (inout JSONWriter, Elements.Element) throws -> Void
    ) rethrows {
        self.name(name)
        try array(elements, body)
    }

    public mutating func field(_ name: String, strings: some Sequence<String>) {
        self.name(name)
        array(strings) { $0.string($1) }
    }

    // MARK: Text

    private mutating func begin() {
        if follows { bytes.append(UInt8(ascii: ",")) }
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)

    private mutating func quote(_ text: String) {
        var text = text
        text.withUTF8 { quote($0) }
    }

    private mutating func quote(_ text: UnsafeBufferPointer<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        var start = 0
        while true {
            let end = Self.endOfPlain(text, from: start)
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<end]))
            guard end < text.count else { break }
            escape(text[end])
            start = end + 1
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Where the next byte is that cannot stand as it is: a control character, a quotation mark, a backslash.
    private static func endOfPlain(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        let raw = UnsafeRawBufferPointer(text)
        var index = start
        while index + 8 <= raw.count {
            if mayNeedEscape(raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)) { break }
            index += 8
        }
        while index < raw.count, !needsEscape(raw[index]) { index += 1 }
        return index
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// Whether one of eight bytes is such. A byte below a limit borrows from its highest bit when the limit is subtracted,
    /// and so does zero when one is.
    private static func mayNeedEscape(_ bytes: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = bytes ^ (ones * 0x22)
        let backslashes = bytes ^ (ones * 0x5C)
        let borrowed =
            ((bytes &- ones * 0x20) & ~bytes) | ((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes)
        return borrowed & (ones * 0x80) != 0
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        default:
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(Self.hexadecimal[Int(byte >> 4)])
            bytes.append(Self.hexadecimal[Int(byte & 15)])
        }
    }
}

extension JSONValue {
    /// The text of this value, members in their own order.
    public var text: String {
        var writer = JSONWriter()
        writer.value(self)
        return writer.text
    }
}
