public import WireJSON

/// The subset of JSON Schema (draft 4) in which the Image API describes its records: enough to be served as a document
/// and to judge a value by.
public struct JSONSchema: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case null, boolean, integer, number, string, array, object
    }

    /// A regular expression that is found in the texts that fit.
    public struct Pattern: Sendable, Equatable {
        public let text: String
        /// `nil` for that of UUIDs, which is looked for without it.
        private let expression: LinearPattern?

        public static let uuid = Pattern(
            text: "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$",
            expression: nil
        )

        private init(text: String, expression: LinearPattern?) {
            self.text = text
            self.expression = expression
        }

        /// - Throws: what is wrong with the expression, and where.
        public init(_ text: String) throws(LinearPatternError) {
            self = text == Self.uuid.text ? .uuid : Pattern(text: text, expression: try LinearPattern(text))
        }

        public func matches(_ text: String) -> Bool { expression?.isFound(in: text) ?? (ImageID(text) != nil) }

        public static func == (one: Pattern, other: Pattern) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }
    }

    public struct Property: Sendable, Equatable {
        public var name: String
        public var schema: JSONSchema

        public init(_ name: String, _ schema: JSONSchema) {
            self.name = name
            self.schema = schema
        }
    }

    public struct Link: Sendable, Equatable {
        public var relation: String
        /// A template: `{member}` stands for the value of that member.
        public var target: String

        public init(_ relation: String, _ target: String) {
            self.relation = relation
            self.target = target
        }
    }

    /// What may stand where a schema says nothing by name: anything, nothing, or what a schema allows.
    public indirect enum Others: Sendable, Equatable {
        case anything
        case nothing
        case matching(JSONSchema)
    }

    /// The name of the whole record, at the root only.
    public var name: String?
    /// Empty where any kind will do.
    public var kinds: [Kind]
    public var description: String?
    /// Empty where any value of the kinds will do.
    public var choices: [JSONValue]
    public var pattern: Pattern?
    /// In Unicode scalars, as the reference counts.
    public var minLength: Int?
    /// In Unicode scalars, as the reference counts.
    public var maxLength: Int?
    public var items: Others
    public var properties: [Property]
    public var required: [String]
    public var additionalProperties: Others
    public var isReadOnly: Bool
    public var isWriteOnly: Bool
    /// `false` marks what an operator declared; clients show it among the custom properties.
    public var isBase: Bool?
    public var links: [Link]
    /// Keywords that describe and do not judge (`title`, `default`, …), passed through.
    public var annotations: JSONObject

    public init(
        _ kinds: Kind...,
        name: String? = nil,
        description: String? = nil,
        choices: [JSONValue] = [],
        pattern: Pattern? = nil,
        minLength: Int? = nil,
        maxLength: Int? = nil,
        items: Others = .anything,
        properties: [Property] = [],
        required: [String] = [],
        additionalProperties: Others = .anything,
        isReadOnly: Bool = false,
        isWriteOnly: Bool = false,
        isBase: Bool? = nil,
        links: [Link] = [],
        annotations: JSONObject = [:]
    ) {
        self.name = name
        self.kinds = kinds
        self.description = description
        self.choices = choices
        self.pattern = pattern
        self.minLength = minLength
        self.maxLength = maxLength
        self.items = items
        self.properties = properties
        self.required = required
        self.additionalProperties = additionalProperties
        self.isReadOnly = isReadOnly
        self.isWriteOnly = isWriteOnly
        self.isBase = isBase
        self.links = links
        self.annotations = annotations
    }

    /// What the schema says of a member of that name.
    public func member(_ name: String) -> Others {
        if let property = properties.first(where: { $0.name == name }) { return .matching(property.schema) }
        return additionalProperties
    }
}

extension JSONSchema {
    /// The schema as it is served.
    public var document: JSONValue {
        var document = JSONObject()
        if let name { document["name"] = .string(name) }
        if let only = kinds.first {
            let words = kinds.map { JSONValue.string($0.rawValue) }
            document["type"] = kinds.count == 1 ? .string(only.rawValue) : .array(words)
        }
        if isReadOnly { document["readOnly"] = true }
        if let description { document["description"] = .string(description) }
        if let pattern { document["pattern"] = .string(pattern.text) }
        if let minLength { document["minLength"] = .integer(Int64(minLength)) }
        if let maxLength { document["maxLength"] = .integer(Int64(maxLength)) }
        if !choices.isEmpty { document["enum"] = .array(choices) }
        if isWriteOnly { document["writeOnly"] = true }
        for annotation in annotations.members { document[annotation.name] = annotation.value }
        document["items"] = items.document
        if !properties.isEmpty {
            var members = JSONObject()
            for property in properties { members[property.name] = property.schema.document }
            document["properties"] = .object(members)
        }
        document["additionalProperties"] = additionalProperties.document
        if !required.isEmpty { document["required"] = .array(required.map { .string($0) }) }
        if let isBase { document["is_base"] = .bool(isBase) }
        if !links.isEmpty {
            document["links"] = .array(links.map { ["rel": .string($0.relation), "href": .string($0.target)] })
        }
        return .object(document)
    }
}

extension JSONSchema.Others {
    /// `nil` for anything: the keyword is left out.
    fileprivate var document: JSONValue? {
        switch self {
        case .anything: nil
        case .nothing: false
        case .matching(let schema): schema.document
        }
    }
}
