/// A JSON document or part of one (RFC 8259). Integers keep their exact value; members of an object keep their order.
public enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// A number with a fraction, an exponent, or beyond 64 bits.
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// The members of a JSON object, in the order in which they were written. A repeated name keeps its last value.
public struct JSONObject: Sendable {
    public private(set) var members: [(name: String, value: JSONValue)] = []
    /// Positions by name, kept only for objects too large to be searched.
    private var positions: [[UInt8]: Int] = [:]
    private static let searched = 64

    public init() {}

    public init(_ members: KeyValuePairs<String, JSONValue>) {
        for (name, value) in members { self[name] = value }
    }

    public var isEmpty: Bool { members.isEmpty }
    public var count: Int { members.count }
    public var names: [String] { members.map(\.name) }

    /// The value of a member; `nil` when there is none. Setting `nil` removes the member.
    public subscript(name: String) -> JSONValue? {
        get { position(of: name).map { members[$0].value } }
        set {
            switch (position(of: name), newValue) {
            case (let position?, let value?):
                members[position].value = value
            case (let position?, nil):
                members.remove(at: position)
                reindex()
            case (nil, let value?):
                members.append((name, value))
                if members.count > Self.searched {
                    if positions.isEmpty { reindex() } else { positions[Array(name.utf8)] = members.count - 1 }
                }
            case (nil, nil):
                break
            }
        }
    }

    private func position(of name: String) -> Int? {
        // Byte for byte: Swift takes differently composed letters for equal, JSON does not.
        guard !positions.isEmpty else {
            let count = name.utf8.count
            return members.firstIndex {
                $0.name.utf8.count == count && $0.name == name && $0.name.utf8.elementsEqual(name.utf8)
            }
        }
        return positions[Array(name.utf8)]
    }

    private mutating func reindex() {
        positions.removeAll()
        guard members.count > Self.searched else { return }
        for (position, member) in members.enumerated() { positions[Array(member.name.utf8)] = position }
    }
}

extension JSONObject: Equatable {
    /// Order does not count (RFC 8259 §4).
    public static func == (one: JSONObject, other: JSONObject) -> Bool {
        one.count == other.count && one.members.allSatisfy { other[$0.name] == $0.value }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        for (name, value) in elements { self[name] = value }
    }
}

extension JSONValue {
    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    public var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }
    public var isNull: Bool { self == .null }

    /// An integer, also when it was written with a zero fraction (`5.0`), as JSON Schema counts integers.
    public var integerValue: Int64? {
        switch self {
        case .integer(let value): value
        case .double(let value): Int64(exactly: value)
        default: nil
        }
    }

    /// What JSON calls this kind of value.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .double: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        var object = JSONObject()
        for (name, value) in elements { object[name] = value }
        self = .object(object)
    }
}

extension JSONValue {
    /// Whether any text in it, names included, holds U+0000: JSON can say it, PostgreSQL cannot keep it.
    public var holdsNull: Bool {
        switch self {
        case .null, .bool, .integer, .double: false
        case .string(let text): text.utf8.contains(0)
        case .array(let elements): elements.contains(where: \.holdsNull)
        case .object(let object): object.members.contains { $0.name.utf8.contains(0) || $0.value.holdsNull }
        }
    }
}
