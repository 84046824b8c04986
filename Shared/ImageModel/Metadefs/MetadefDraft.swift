public import WireJSON

/// A namespace as a client asks for it, for creation or in the place of one that is there.
public struct MetadefNamespaceDraft: Sendable, Equatable {
    /// The owner is the one that was asked for; ``namespace(ownedBy:)`` completes it.
    private var fields: MetadefNamespace
    public var content: MetadefContent

    /// - Throws: ``ServiceError``: `forbidden` for a member that is read-only, `invalidRequest`.
    public init(parsing body: JSONObject) throws(ServiceError) {
        let schema = MetadefSchema.namespace
        try MetadefSchema.judge(body, schema, readOnly: ["self", "schema", "created_at", "updated_at"])
        try MetadefSchema.requireNarrow(.object(body), "A namespace")
        fields = MetadefNamespace(
            name: body["namespace"]?.stringValue ?? "",
            displayName: body["display_name"]?.stringValue,
            description: body["description"]?.stringValue,
            visibility: body["visibility"]?.stringValue.flatMap { MetadefNamespace.Visibility(rawValue: $0) }
                ?? .private,
            protected: body["protected"]?.boolValue ?? false,
            owner: body["owner"]?.stringValue
        )
        try MetadefSchema.requireReachable(fields.name, "a namespace")
        content = MetadefContent(
            properties: try MetadefProperty.map(body["properties"], at: "properties", schema)
        )
        for property in content.properties { try MetadefSchema.requireReachable(property.name, "a property") }
        for association in Self.objects(body["resource_type_associations"]) {
            content.associations.append(try ResourceTypeAssociation(judged: association))
        }
        for tag in Self.objects(body["tags"]) {
            content.tags.append(MetadefTag(name: try MetadefTag.name(judged: tag)))
        }
        for (index, object) in Self.objects(body["objects"]).enumerated() {
            content.objects.append(try MetadefObject(judged: object, at: "objects[\(index)].", schema))
        }
    }

    private static func objects(_ list: JSONValue?) -> [JSONObject] {
        (list?.arrayValue ?? []).compactMap(\.objectValue)
    }

    /// The namespace without times, whose owner is `project` where none was named.
    public func namespace(ownedBy project: String?) -> MetadefNamespace {
        var namespace = fields
        if namespace.owner == nil { namespace.owner = project }
        return namespace
    }
}

extension MetadefProperty {
    /// A definition that stands alone, with its name.
    ///
    /// - Throws: ``ServiceError``: `forbidden` for a member that is read-only, `invalidRequest`.
    public init(parsing body: JSONObject) throws(ServiceError) {
        let schema = MetadefSchema.property
        try MetadefSchema.judge(body, schema, readOnly: ["created_at", "updated_at"])
        try MetadefSchema.refuse(MetadefDefinition.firstViolation(of: body, at: ""), schema)
        try MetadefSchema.requireNarrow(.object(body), "A property")
        self.init(name: body["name"]?.stringValue ?? "", definition: MetadefDefinition(body))
        try MetadefSchema.requireReachable(name, "a property")
    }

    /// The definitions of a judged map, under names that are not too long.
    static func map(
        _ map: JSONValue?,
        at path: String,
        _ schema: JSONSchema
    ) throws(ServiceError) -> [MetadefProperty] {
        var properties: [MetadefProperty] = []
        for (name, value) in map?.objectValue?.members ?? [] {
            guard case .object(let keywords) = value else { continue }
            let place = "\(path).\(name)"
            let length = name.unicodeScalars.count
            if length == 0 || length > 80 {
                let violation = SchemaViolation(path: place, sentence: "must have a name of 1 to 80 characters")
                try MetadefSchema.refuse(violation, schema)
            }
            try MetadefSchema.refuse(MetadefDefinition.firstViolation(of: keywords, at: place), schema)
            properties.append(MetadefProperty(name: name, definition: MetadefDefinition(keywords)))
        }
        return properties
    }
}

extension MetadefObject {
    /// - Throws: ``ServiceError``: `forbidden` for a member that is read-only, `invalidRequest`.
    public init(parsing body: JSONObject) throws(ServiceError) {
        let schema = MetadefSchema.object
        try MetadefSchema.judge(body, schema, readOnly: ["self", "schema", "created_at", "updated_at"])
        try MetadefSchema.requireNarrow(.object(body), "An object")
        try self.init(judged: body, at: "", schema)
    }

    fileprivate init(judged body: JSONObject, at prefix: String, _ schema: JSONSchema) throws(ServiceError) {
        let required = body["required"]?.arrayValue ?? []
        if MetadefSchema.repeats(required) {
            let violation = SchemaViolation(path: prefix + "required", sentence: "names something twice")
            try MetadefSchema.refuse(violation, schema)
        }
        self.init(
            name: body["name"]?.stringValue ?? "",
            description: body["description"]?.stringValue,
            required: required.compactMap(\.stringValue),
            properties: try MetadefProperty.map(body["properties"], at: prefix + "properties", schema)
        )
        try MetadefSchema.requireReachable(name, "an object")
    }
}

extension MetadefTag {
    /// The name that a body gives to one tag: `{"name": "tag"}`.
    ///
    /// - Throws: ``ServiceError``: `forbidden` for a member that is read-only, `invalidRequest`.
    public static func name(parsing body: JSONObject) throws(ServiceError) -> String {
        try MetadefSchema.judge(body, MetadefSchema.tag, readOnly: ["created_at", "updated_at"])
        try MetadefSchema.requireNarrow(.object(body), "A tag")
        return try name(judged: body)
    }

    fileprivate static func name(judged body: JSONObject) throws(ServiceError) -> String {
        let name = body["name"]?.stringValue ?? ""
        try MetadefSchema.requireReachable(name, "a tag")
        return name
    }

    /// The name that a path gives to one tag.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`).
    public static func name(inPath name: String) throws(ServiceError) -> String {
        try Self.name(parsing: ["name": .string(name)])
    }

    /// The names of many tags: `{"tags": [{"name": "tag"}]}`.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`).
    public static func names(parsing body: JSONObject) throws(ServiceError) -> [String] {
        try MetadefSchema.judge(body, MetadefSchema.tags, readOnly: [])
        var names: [String] = []
        for tag in body["tags"]?.arrayValue ?? [] { names.append(try name(judged: tag.objectValue ?? [:])) }
        return names
    }
}

extension ResourceTypeAssociation {
    /// - Throws: ``ServiceError``: `forbidden` for a member that is read-only, `invalidRequest`.
    public init(parsing body: JSONObject) throws(ServiceError) {
        try MetadefSchema.judge(body, MetadefSchema.association, readOnly: ["created_at", "updated_at"])
        try MetadefSchema.requireNarrow(.object(body), "A resource type association")
        try self.init(judged: body)
    }

    fileprivate init(judged body: JSONObject) throws(ServiceError) {
        self.init(
            name: body["name"]?.stringValue ?? "",
            prefix: body["prefix"]?.stringValue,
            propertiesTarget: body["properties_target"]?.stringValue
        )
        try MetadefSchema.requireReachable(name, "a resource type")
    }
}
