/// Values of known kinds, with the name of the member for the error.
extension JSONReader {
    /// - Throws: ``JSONShapeError`` for another kind of value, else ``JSONSyntaxError``.
    public mutating func string(_ member: StaticString) throws(JSONReadError) -> String {
        guard peek() == UInt8(ascii: "\"") else { throw try other(member, "a string") }
        return try string()
    }

    /// - Returns: `nil` for null.
    public mutating func optionalString(_ member: StaticString) throws(JSONReadError) -> String? {
        try isNull() ? nil : try string(member)
    }

    public mutating func integer(_ member: StaticString) throws(JSONReadError) -> Int64 {
        let value = try value()
        guard let integer = value.integerValue else { throw Self.wrong(member, value, "an integer") }
        return integer
    }

    /// - Returns: `nil` for null.
    public mutating func optionalInteger(_ member: StaticString) throws(JSONReadError) -> Int64? {
        try isNull() ? nil : try integer(member)
    }

    public mutating func bool(_ member: StaticString) throws(JSONReadError) -> Bool {
        let value = try value()
        guard let bool = value.boolValue else { throw Self.wrong(member, value, "a boolean") }
        return bool
    }

    /// A value that is one of a closed set of words.
    public mutating func word<Word: RawRepresentable<String>>(_ member: StaticString) throws(JSONReadError) -> Word {
        guard let word = Word(rawValue: try string(member)) else {
            throw .shape(JSONShapeError(member: "\(member)", reason: "is an unknown word"))
        }
        return word
    }

    /// Goes into an object, as ``beginObject()``.
    public mutating func beginObject(_ member: StaticString) throws(JSONReadError) {
        guard peek() == UInt8(ascii: "{") else { throw try other(member, "an object") }
        try beginObject()
    }

    public mutating func values<Value: WireCodable>(_ member: StaticString) throws(JSONReadError) -> [Value] {
        guard peek() == UInt8(ascii: "[") else { throw try other(member, "an array") }
        var values: [Value] = []
        try beginArray()
        while try hasNextElement() { values.append(try Value(reading: &self)) }
        return values
    }

    public mutating func strings(_ member: StaticString) throws(JSONReadError) -> [String] {
        guard peek() == UInt8(ascii: "[") else { throw try other(member, "an array") }
        var strings: [String] = []
        try beginArray()
        while try hasNextElement() {
            guard peek() == UInt8(ascii: "\"") else {
                throw .shape(JSONShapeError(member: "\(member)", reason: "holds \(try value().kind)"))
            }
            strings.append(try string(member))
        }
        return strings
    }

    /// Passes over null, and over nothing else.
    private mutating func isNull() throws(JSONReadError) -> Bool {
        guard peek() == UInt8(ascii: "n") else { return false }
        _ = try value()
        return true
    }

    private mutating func other(_ member: StaticString, _ expected: String) throws(JSONReadError) -> JSONReadError {
        Self.wrong(member, try value(), expected)
    }

    private static func wrong(_ member: StaticString, _ value: JSONValue, _ expected: String) -> JSONReadError {
        .shape(JSONShapeError(member: "\(member)", reason: "is \(value.kind), \(expected) is expected"))
    }
}
