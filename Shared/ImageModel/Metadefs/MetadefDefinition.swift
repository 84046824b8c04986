public import WireJSON

/// The definition of one property: keywords after JSON Schema, in the order in which they were given, without the name.
///
/// A default and the choices of an enumeration are texts, whatever they were written as: 100 is kept as "100" (Image API
/// v2, "Property").
public struct MetadefDefinition: Sendable, Equatable {
    public let keywords: JSONObject

    /// Takes over what was judged before, or comes from a catalogue file, which is not judged: a value that cannot be kept
    /// as it should is kept as it is.
    public init(_ keywords: JSONObject) {
        var kept: JSONObject = [:]
        for (name, value) in keywords.members where name != "name" && !value.isNull {
            switch (name, value) {
            case ("default", _): kept[name] = .string(Self.text(of: value))
            case ("enum", .array(let choices)): kept[name] = .array(choices.map { .string(Self.text(of: $0)) })
            case ("minimum", _), ("maximum", _), ("minLength", _), ("maxLength", _), ("minItems", _), ("maxItems", _):
                // 5.0 is 5; a fraction stays.
                kept[name] = value.integerValue.map { .integer($0) } ?? value
            default: kept[name] = value
            }
        }
        self.keywords = kept
    }

    /// A value as text, with the words of the reference, which is written in Python.
    private static func text(of value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .bool(let flag): flag ? "True" : "False"
        case .null: "None"
        case .integer, .double, .array, .object: value.text
        }
    }

    public var title: String? { keywords["title"]?.stringValue }
    public var type: String? { keywords["type"]?.stringValue }
}

extension MetadefDefinition {
    /// The schema of a definition (Image API v2, "Property"); `name` is known only to a definition that stands alone.
    static func schema(isAlone: Bool) -> JSONSchema {
        let type = JSONSchema(.string, choices: types.map { .string($0) })
        let text = JSONSchema(.string)
        let length = JSONSchema(.integer)
        let flag = JSONSchema(.boolean)
        let texts = JSONSchema(.array, items: .matching(text))
        var fields: [(String, JSONSchema)] = [
            ("title", text), ("type", type), ("description", text), ("operators", texts), ("required", texts),
            ("minimum", JSONSchema(.number)), ("maximum", JSONSchema(.number)), ("minLength", length),
            ("maxLength", length), ("minItems", length), ("maxItems", length), ("pattern", text),
            ("enum", JSONSchema(.array)), ("readonly", flag), ("default", JSONSchema()),
            (
                "items",
                JSONSchema(
                    .object,
                    properties: [
                        JSONSchema.Property("type", type), JSONSchema.Property("enum", JSONSchema(.array)),
                    ],
                    additionalProperties: .nothing
                )
            ), ("uniqueItems", flag), ("additionalItems", flag), ("name", MetadefSchema.name),
        ]
        if !isAlone { fields.append(("confidential", flag)) }
        return JSONSchema(
            .object,
            properties: fields.map { JSONSchema.Property($0.0, $0.1) },
            required: isAlone ? ["name", "type", "title"] : ["type", "title"],
            additionalProperties: .nothing
        )
    }

    static let types = ["array", "boolean", "integer", "number", "object", "string"]

    /// What ``schema(isAlone:)`` cannot say of a definition that fits it.
    static func firstViolation(of keywords: JSONObject, at path: String) -> SchemaViolation? {
        let prefix = path.isEmpty ? "" : path + "."
        for name in ["minLength", "maxLength", "minItems", "maxItems"] {
            if let value = keywords[name]?.integerValue, value < 0 {
                return SchemaViolation(path: prefix + name, sentence: "must not be negative")
            }
        }
        if let values = keywords["required"]?.arrayValue {
            guard !values.isEmpty else {
                return SchemaViolation(path: prefix + "required", sentence: "must not be empty")
            }
            guard !MetadefSchema.repeats(values) else {
                return SchemaViolation(path: prefix + "required", sentence: "names something twice")
            }
        }
        return nil
    }
}
