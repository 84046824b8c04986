public import WireJSON

/// A comparison that plain list parameters cannot express; comes from `os_glance_filter`.
///
/// Texts are compared byte by byte, which is the order of their Unicode scalars.
public struct ImageCondition: Sendable, Equatable {
    public var subject: Subject
    public var test: Test

    public init(_ subject: Subject, _ test: Test) {
        self.subject = subject
        self.test = test
    }

    public enum Subject: Sendable, Equatable {
        case text(ImageFilter.TextColumn)
        /// The texts of a test are whole numbers in decimal.
        case integer(ImageFilter.IntegerColumn)
        /// Any of the image's tags.
        case tag
        /// A custom property; one that is null counts as missing.
        case property(String)
    }

    public enum Test: Sendable, Equatable {
        /// Equals one of the values.
        case anyOf([String])
        /// Does not: true where there is no value.
        case noneOf([String])
        /// Begins with a text that is not empty.
        case prefix(String)
        /// A property is compared as a number where the operand is one (``isDecimal(_:)``); values that are none do not
        /// match then.
        case order(Order, String)
        /// Has any value.
        case exists(Bool)
    }

    /// The raw value is the operator's name in the API.
    public enum Order: String, Sendable, CaseIterable {
        case greater = "gt"
        case greaterOrEqual = "gte"
        case less = "lt"
        case lessOrEqual = "lte"
    }

    /// Digits beyond which a number is taken for a text, so that every database can convert it.
    public static let maximumDecimalLength = 30

    /// Whether a text is a plain decimal number: digits, perhaps a point and more digits; no sign, no exponent.
    public static func isDecimal(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return (1...2).contains(parts.count) && text.utf8.count <= maximumDecimalLength
            && parts.allSatisfy { part in
                !part.isEmpty && part.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            }
    }

    /// The least text behind all those that begin with `prefix`, in byte order; `nil` where there is none.
    ///
    /// A range of an index finds a prefix; a pattern would have to be escaped, and may ignore the case of letters.
    public static func end(ofPrefix prefix: String) -> String? {
        var scalars = Array(prefix.unicodeScalars)
        while let last = scalars.popLast() {
            // Behind U+D7FF come the surrogates, which no text contains; behind U+10FFFF comes nothing.
            let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
            guard let scalar = Unicode.Scalar(next) else { continue }
            var end = String.UnicodeScalarView(scalars)
            end.append(scalar)
            return String(end)
        }
        return nil
    }
}

extension ImageCondition: WireCodable {
    private enum SubjectKind: String {
        case text, integer, tag, property
    }

    private enum TestKind: String {
        case anyOf, noneOf, prefix, order, exists
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in writeMembers(to: &writer) }
    }

    /// The members alone, for an object that has others.
    func writeMembers(to writer: inout JSONWriter) {
        switch subject {
        case .text(let column):
            writer.field("subject", SubjectKind.text.rawValue)
            writer.field("name", column.rawValue)
        case .integer(let column):
            writer.field("subject", SubjectKind.integer.rawValue)
            writer.field("name", column.rawValue)
        case .tag:
            writer.field("subject", SubjectKind.tag.rawValue)
        case .property(let name):
            writer.field("subject", SubjectKind.property.rawValue)
            writer.field("name", name)
        }
        switch test {
        case .anyOf(let values):
            writer.field("test", TestKind.anyOf.rawValue)
            writer.field("values", strings: values)
        case .noneOf(let values):
            writer.field("test", TestKind.noneOf.rawValue)
            writer.field("values", strings: values)
        case .prefix(let value):
            writer.field("test", TestKind.prefix.rawValue)
            writer.field("value", value)
        case .order(let order, let value):
            writer.field("test", TestKind.order.rawValue)
            writer.field("order", order.rawValue)
            writer.field("value", value)
        case .exists(let exists):
            writer.field("test", TestKind.exists.rawValue)
            writer.field("value", exists)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        switch try members.word("subject", as: SubjectKind.self) {
        case .text: subject = .text(try members.word("name"))
        case .integer: subject = .integer(try members.word("name"))
        case .tag: subject = .tag
        case .property: subject = .property(try members.string("name"))
        }
        switch try members.word("test", as: TestKind.self) {
        case .anyOf: test = .anyOf(try members.strings("values"))
        case .noneOf: test = .noneOf(try members.strings("values"))
        case .prefix: test = .prefix(try members.string("value"))
        case .order: test = .order(try members.word("order"), try members.string("value"))
        case .exists: test = .exists(try members.bool("value"))
        }
    }
}
