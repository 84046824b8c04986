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

    public mutating func array<Elements: Sequence>(
        _ elements: Elements,
        _ body: (inout JSONWriter, Elements.Element) throws -> Void
    ) rethrows {
        begin()
        bytes.append(UInt8(ascii: "["))
        follows = false
        for element in elements { try body(&self, element) }
        bytes.append(UInt8(ascii: "]"))
        follows = true
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
        begin()
        if value >= 0, let value = UInt64(exactly: value) {
            digits(of: value)
        } else {
            bytes.append(contentsOf: String(value).utf8)
        }
        follows = true
    }

    private mutating func digits(of value: UInt64) {
        var divisor: UInt64 = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
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

    /// Puts in a JSON value that is text already. The caller vouches that it is one whole value.
    public mutating func raw(_ text: some Sequence<UInt8>) {
        begin()
        bytes.append(contentsOf: text)
        follows = true
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
        var plain = 0
        for index in 0..<text.count {
            let byte = text[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[plain..<index]))
            plain = index + 1
            escape(byte)
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[plain...]))
        bytes.append(UInt8(ascii: "\""))
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
