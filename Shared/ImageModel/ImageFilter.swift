public import WireJSON

/// One condition on the images of a list. All conditions of a list must hold.
public enum ImageFilter: Sendable, Equatable {
    /// How many conditions one list may have: databases bound the depth of an expression.
    public static let maximumCount = 128

    /// The column equals one of the texts, byte for byte. With no text, no image matches.
    case text(TextColumn, anyOf: [String])
    case integer(IntegerColumn, equals: Int64)
    /// An image whose value is null never matches. The bound itself is included.
    case bound(IntegerColumn, IntegerBound, Int64)
    case time(TimeColumn, TimeComparison, Timestamp)
    case protected(Bool)
    /// The image has this tag, perhaps among others.
    case tag(String)
    /// The image has this custom property with exactly this value.
    case property(name: String, value: String)
    /// What `os_glance_filter` can say beyond the others.
    case condition(ImageCondition)
    /// No image matches.
    case nothing

    /// The raw value is the field's name in the API.
    public enum TextColumn: String, Sendable, CaseIterable {
        case name, id, status
        case containerFormat = "container_format"
        case diskFormat = "disk_format"
        case owner, checksum
        case hashValue = "os_hash_value"
        case hashAlgorithm = "os_hash_algo"

        /// Whether a client may write `eq:` or `in:` before the value.
        var hasOperators: Bool {
            switch self {
            case .name, .id, .status, .containerFormat, .diskFormat: true
            case .owner, .checksum, .hashValue, .hashAlgorithm: false
            }
        }
    }

    /// The raw value is the field's name in the API.
    public enum IntegerColumn: String, Sendable, CaseIterable {
        case size
        case virtualSize = "virtual_size"
        case minRAM = "min_ram"
        case minDisk = "min_disk"
    }

    public enum IntegerBound: String, Sendable, CaseIterable {
        case atLeast = "min"
        case atMost = "max"
    }

    /// The raw value is the field's name in the API.
    public enum TimeColumn: String, Sendable, CaseIterable {
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    /// How the image's time compares with the given one.
    public enum TimeComparison: String, Sendable, CaseIterable {
        case greater = "gt"
        case greaterOrEqual = "gte"
        case less = "lt"
        case lessOrEqual = "lte"
        case equal = "eq"
        case notEqual = "neq"
    }
}

extension ImageFilter: WireCodable {
    private enum Kind: String {
        case text, integer, bound, time, protected, tag, property, condition, nothing
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .text(let column, let texts):
                writer.field("kind", Kind.text.rawValue)
                writer.field("column", column.rawValue)
                writer.field("values", strings: texts)
            case .integer(let column, let value):
                writer.field("kind", Kind.integer.rawValue)
                writer.field("column", column.rawValue)
                writer.field("value", value)
            case .bound(let column, let bound, let value):
                writer.field("kind", Kind.bound.rawValue)
                writer.field("column", column.rawValue)
                writer.field("bound", bound.rawValue)
                writer.field("value", value)
            case .time(let column, let comparison, let time):
                writer.field("kind", Kind.time.rawValue)
                writer.field("column", column.rawValue)
                writer.field("comparison", comparison.rawValue)
                writer.field("microseconds", time.microseconds)
            case .protected(let value):
                writer.field("kind", Kind.protected.rawValue)
                writer.field("value", value)
            case .tag(let tag):
                writer.field("kind", Kind.tag.rawValue)
                writer.field("value", tag)
            case .property(let name, let value):
                writer.field("kind", Kind.property.rawValue)
                writer.field("name", name)
                writer.field("value", value)
            case .condition(let condition):
                writer.field("kind", Kind.condition.rawValue)
                condition.writeMembers(to: &writer)
            case .nothing:
                writer.field("kind", Kind.nothing.rawValue)
            }
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        switch try members.word("kind", as: Kind.self) {
        case .text: self = .text(try members.word("column"), anyOf: try members.strings("values"))
        case .integer: self = .integer(try members.word("column"), equals: try members.integer("value"))
        case .bound:
            self = .bound(try members.word("column"), try members.word("bound"), try members.integer("value"))
        case .time:
            let time = Timestamp(microseconds: try members.integer("microseconds"))
            self = .time(try members.word("column"), try members.word("comparison"), time)
        case .protected: self = .protected(try members.bool("value"))
        case .tag: self = .tag(try members.string("value"))
        case .property: self = .property(name: try members.string("name"), value: try members.string("value"))
        case .condition: self = .condition(try ImageCondition(json: json))
        case .nothing: self = .nothing
        }
    }
}
