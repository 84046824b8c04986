/// A type with one JSON form, written and read by hand: for what crosses the wire often enough that reflection would
/// show, and for shapes that reflection cannot say.
public protocol WireCodable: Sendable {
    func write(to writer: inout JSONWriter)
    /// - Throws: ``JSONShapeError`` naming the member that is missing or of the wrong kind.
    init(json: JSONValue) throws(JSONShapeError)
    /// Reads the next value of a text. By way of a tree, unless a type knows better.
    init(reading reader: inout JSONReader) throws(JSONReadError)
}

/// A JSON value has not the shape that its reader expects.
public struct JSONShapeError: Error, Equatable {
    /// The member, or "" for the value itself.
    public var member: String
    public var reason: String

    public init(member: String, reason: String) {
        self.member = member
        self.reason = reason
    }
}

extension WireCodable {
    public init(reading reader: inout JSONReader) throws(JSONReadError) {
        let json = try reader.value()
        do throws(JSONShapeError) {
            try self.init(json: json)
        } catch {
            throw .shape(error)
        }
    }

    /// Reads a whole text.
    public init(parsing bytes: [UInt8]) throws(JSONReadError) {
        let result = bytes.withUnsafeBytes { bytes -> Result<Self, JSONReadError> in
            var reader = JSONReader(bytes: bytes)
            do throws(JSONReadError) {
                let value = try Self(reading: &reader)
                try reader.end()
                return .success(value)
            } catch {
                return .failure(error)
            }
        }
        self = try result.get()
    }

    /// For types that have a reader of their own, and are met in a tree now and then.
    ///
    /// - Throws: what the reader finds wrong with the shape.
    public init(rereading json: JSONValue) throws(JSONShapeError) {
        var writer = JSONWriter()
        writer.value(json)
        do throws(JSONReadError) {
            try self.init(parsing: writer.bytes)
        } catch {
            switch error {
            case .shape(let error): throw error
            // What a tree is written as is JSON.
            case .syntax(let error): throw JSONShapeError(member: "", reason: error.reason)
            }
        }
    }

    public var jsonBytes: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }
}

/// Reads the members of an object, naming what is wrong.
public struct JSONMembers: Sendable {
    public let object: JSONObject

    public init(_ json: JSONValue) throws(JSONShapeError) {
        guard case .object(let object) = json else {
            throw JSONShapeError(member: "", reason: "an object is expected, not \(json.kind)")
        }
        self.object = object
    }

    private func wrong(_ name: String, _ expected: String) -> JSONShapeError {
        guard let value = object[name] else { return JSONShapeError(member: name, reason: "is missing") }
        return JSONShapeError(member: name, reason: "is \(value.kind), \(expected) is expected")
    }

    public func string(_ name: String) throws(JSONShapeError) -> String {
        guard let value = object[name]?.stringValue else { throw wrong(name, "a string") }
        return value
    }

    public func optionalString(_ name: String) throws(JSONShapeError) -> String? {
        guard let value = object[name], !value.isNull else { return nil }
        return try string(name)
    }

    public func integer(_ name: String) throws(JSONShapeError) -> Int64 {
        guard let value = object[name]?.integerValue else { throw wrong(name, "an integer") }
        return value
    }

    public func optionalInteger(_ name: String) throws(JSONShapeError) -> Int64? {
        guard let value = object[name], !value.isNull else { return nil }
        return try integer(name)
    }

    public func bool(_ name: String) throws(JSONShapeError) -> Bool {
        guard let value = object[name]?.boolValue else { throw wrong(name, "a boolean") }
        return value
    }

    public func array(_ name: String) throws(JSONShapeError) -> [JSONValue] {
        guard let value = object[name]?.arrayValue else { throw wrong(name, "an array") }
        return value
    }

    public func strings(_ name: String) throws(JSONShapeError) -> [String] {
        var strings: [String] = []
        for element in try array(name) {
            guard let string = element.stringValue else {
                throw JSONShapeError(member: name, reason: "holds \(element.kind)")
            }
            strings.append(string)
        }
        return strings
    }

    /// A value that is one of a closed set of words.
    public func word<Word: RawRepresentable<String>>(_ name: String, as: Word.Type = Word.self) throws(JSONShapeError)
        -> Word
    {
        let text = try string(name)
        guard let word = Word(rawValue: text) else { throw JSONShapeError(member: name, reason: "is an unknown word") }
        return word
    }

    public func value<Value: WireCodable>(_ name: String, as: Value.Type = Value.self) throws(JSONShapeError) -> Value {
        guard let json = object[name] else { throw JSONShapeError(member: name, reason: "is missing") }
        return try Value(json: json)
    }

    public func optionalValue<Value: WireCodable>(_ name: String, as: Value.Type = Value.self) throws(JSONShapeError)
        -> Value?
    {
        guard let json = object[name], !json.isNull else { return nil }
        return try Value(json: json)
    }

    public func values<Value: WireCodable>(_ name: String, of: Value.Type = Value.self) throws(JSONShapeError)
        -> [Value]
    {
        var values: [Value] = []
        for element in try array(name) { values.append(try Value(json: element)) }
        return values
    }
}
