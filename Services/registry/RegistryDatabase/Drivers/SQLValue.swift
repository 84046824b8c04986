/// A value bound to a statement's placeholder.
///
/// Truth values are integers (0 and 1) and times are integers (microseconds since 1970) in our schema, so that every
/// database keeps and compares them alike.
public enum SQLValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    /// `nil` becomes NULL.
    public init(_ value: String?) { self = value.map(SQLValue.text) ?? .null }
    /// `nil` becomes NULL.
    public init(_ value: Int64?) { self = value.map(SQLValue.integer) ?? .null }
    /// `nil` becomes NULL.
    public init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
    public init(_ value: Bool) { self = .integer(value ? 1 : 0) }
}

extension SQLValue: ExpressibleByStringInterpolation {
    public init(stringLiteral value: String) { self = .text(value) }
}

extension SQLValue: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int64) { self = .integer(value) }
}

extension SQLValue: ExpressibleByNilLiteral {
    public init(nilLiteral: ()) { self = .null }
}
