public import WireJSON

/// Where a value breaks a schema, and how.
public struct SchemaViolation: Error, Sendable, Equatable {
    /// The member, as in `tags[2]` or `locations[0].url`; "" for the value itself.
    public var path: String
    /// What is wrong there, as the rest of a sentence: "must be an integer, not a string".
    public var sentence: String

    public init(path: String, sentence: String) {
        self.path = path
        self.sentence = sentence
    }
}

extension JSONSchema {
    /// The first thing wrong with a value, in the order of the value's own members.
    public func firstViolation(of value: JSONValue, at path: String = "") -> SchemaViolation? {
        if let sentence = complaint(about: value) { return SchemaViolation(path: path, sentence: sentence) }
        switch value {
        case .array(let elements):
            guard case .matching(let schema) = items else { return nil }
            for (index, element) in elements.enumerated() {
                if let violation = schema.firstViolation(of: element, at: "\(path)[\(index)]") { return violation }
            }
            return nil
        case .object(let object):
            return firstViolation(of: object, at: path)
        default:
            return nil
        }
    }

    private func firstViolation(of object: JSONObject, at path: String) -> SchemaViolation? {
        let prefix = path.isEmpty ? "" : path + "."
        for name in required where object[name] == nil {
            return SchemaViolation(path: prefix + name, sentence: "is required")
        }
        for (name, value) in object.members {
            switch member(name) {
            case .anything: break
            case .nothing: return SchemaViolation(path: prefix + name, sentence: "is not allowed")
            case .matching(let schema):
                if let violation = schema.firstViolation(of: value, at: prefix + name) { return violation }
            }
        }
        return nil
    }

    private func complaint(about value: JSONValue) -> String? {
        guard kinds.isEmpty || kinds.contains(where: { $0.includes(value) }) else {
            let expected = kinds.filter { $0 != .null }.map(\.withArticle) + (kinds.contains(.null) ? ["null"] : [])
            return "must be \(expected.joined(separator: " or ")), not \(Kind.of(value).withArticle)"
        }
        guard choices.isEmpty || choices.contains(value) else {
            return "must be one of: " + choices.map { $0.stringValue ?? $0.text }.joined(separator: ", ")
        }
        guard case .string(let text) = value else { return nil }
        if let maxLength, text.unicodeScalars.count > maxLength { return "is longer than \(maxLength) characters" }
        if let minLength, text.unicodeScalars.count < minLength { return "is shorter than \(minLength) characters" }
        guard let pattern, !pattern.matches(text) else { return nil }
        return pattern == .uuid ? "must be a UUID" : "does not match the pattern '\(pattern.text)'"
    }
}

extension JSONSchema.Kind {
    fileprivate static func of(_ value: JSONValue) -> JSONSchema.Kind {
        switch value {
        case .null: .null
        case .bool: .boolean
        case .integer: .integer
        case .double: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    /// A number without a fraction is an integer, however it was written.
    fileprivate func includes(_ value: JSONValue) -> Bool {
        switch (self, value) {
        case (.number, .integer): true
        case (.integer, .double(let number)): number.rounded(.towardZero) == number
        default: Self.of(value) == self
        }
    }

    fileprivate var withArticle: String {
        switch self {
        case .null: "null"
        case .integer, .array, .object: "an \(rawValue)"
        case .boolean, .number, .string: "a \(rawValue)"
        }
    }
}
