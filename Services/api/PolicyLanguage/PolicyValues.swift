/// What a rule is asked about: the values that `%(name)s` stands for.
public protocol PolicyTargetValues {
    /// The value in its text form: null is `None`, truth is `True` or `False`. `nil` for a name that is not there.
    func text(of key: String) -> String?
}

/// Who asks.
public protocol PolicyCredentials {
    /// - Parameter name: In lower case.
    func hasRole(_ name: String) -> Bool
    /// `nil` for a name that is not there.
    func value(of name: String) -> PolicyValue?
}

/// A value of credentials.
public enum PolicyValue: Sendable, Equatable {
    /// Anything that is neither of the others, in its text form.
    case text(String)
    case list([PolicyValue])
    case object([String: PolicyValue])

    /// Whether the value at the end of a path is `expected`; of a list on the way, any element will do.
    ///
    /// - Throws: where the path goes on behind a value that has no names.
    func holds(_ expected: String, at path: ArraySlice<String>) throws(PolicyFault) -> Bool {
        guard let name = path.first else {
            if case .text(let text) = self { return text.isIdentical(to: expected) }
            return false
        }
        guard case .object(let values) = self else {
            throw PolicyFault("the credentials have nothing named '\(name)' where a rule looks for it")
        }
        guard let value = values[name] else { return false }
        return try value.anyHolds(expected, at: path.dropFirst())
    }

    func anyHolds(_ expected: String, at path: ArraySlice<String>) throws(PolicyFault) -> Bool {
        guard case .list(let values) = self else { return try holds(expected, at: path) }
        for value in values where try value.holds(expected, at: path) { return true }
        return false
    }
}

/// Why a rule has no answer. Nothing is allowed by a rule without one.
public struct PolicyFault: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
    /// Whether it is another service that does not say: there may be an answer later.
    public let isOutage: Bool

    public init(_ description: String, isOutage: Bool = false) {
        self.description = description
        self.isOutage = isOutage
    }
}

extension String {
    /// Byte for byte: Swift takes differently composed letters for equal, the rule language does not.
    func isIdentical(to other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}
