internal import WireJSON

/// The rules by which bodies about metadata definitions are judged. What clients are shown of them is
/// ``MetadefSchemaDocuments``.
enum MetadefSchema {
    static let name = JSONSchema(.string, minLength: 1, maxLength: 80)
    private static let text = JSONSchema(.string)
    private static let texts = JSONSchema(.array, items: .matching(text))
    private static let definitions = JSONSchema(
        .object,
        additionalProperties: .matching(MetadefDefinition.schema(isAlone: false))
    )
    /// What an answer shows of a part and a client may send back with it inside of a namespace.
    private static let echoes: [(String, JSONSchema)] = [
        ("created_at", text), ("updated_at", text), ("self", text), ("schema", text),
    ]

    static let namespace = record(
        "namespace",
        [
            ("namespace", name), ("display_name", JSONSchema(.string, maxLength: 80)),
            ("description", JSONSchema(.string, maxLength: 500)),
            (
                "visibility",
                JSONSchema(.string, choices: MetadefNamespace.Visibility.allCases.map { .string($0.rawValue) })
            ),
            ("protected", JSONSchema(.boolean)), ("owner", JSONSchema(.string, maxLength: 255)),
            ("resource_type_associations", list(of: association.properties, required: "name", andEchoes: true)),
            ("properties", definitions), ("objects", list(of: object.properties, required: "name", andEchoes: true)),
            ("tags", list(of: tag.properties, required: "name", andEchoes: true)),
        ],
        required: "namespace"
    )

    static let object = record(
        "object",
        [("name", name), ("description", text), ("required", texts), ("properties", definitions)],
        required: "name"
    )

    static let property: JSONSchema = {
        var schema = MetadefDefinition.schema(isAlone: true)
        schema.name = "property"
        return schema
    }()

    static let tag = record("tag", [("name", name)], required: "name")

    static let tags = record(
        "tags",
        [("tags", list(of: tag.properties, required: "name", andEchoes: false))],
        required: "tags"
    )

    static let association = record(
        "resource_type_association",
        [
            ("name", name), ("prefix", JSONSchema(.string, maxLength: 80)),
            ("properties_target", JSONSchema(.string, maxLength: 80)),
        ],
        required: "name"
    )

    private static func record(_ name: String, _ fields: [(String, JSONSchema)], required: String) -> JSONSchema {
        JSONSchema(
            .object,
            name: name,
            properties: fields.map { JSONSchema.Property($0.0, $0.1) },
            required: [required],
            additionalProperties: .nothing
        )
    }

    private static func list(of fields: [JSONSchema.Property], required: String, andEchoes: Bool) -> JSONSchema {
        JSONSchema(
            .array,
            items: .matching(
                JSONSchema(
                    .object,
                    properties: fields + (andEchoes ? echoes.map { JSONSchema.Property($0.0, $0.1) } : []),
                    required: [required],
                    additionalProperties: .nothing
                )
            )
        )
    }

    // MARK: Judging

    /// Judges a whole body.
    ///
    /// - Parameter readOnly: Members that only the service sets.
    /// - Throws: ``ServiceError``: `forbidden` for a member that is read-only, otherwise `invalidRequest`.
    static func judge(_ body: JSONObject, _ schema: JSONSchema, readOnly: [String]) throws(ServiceError) {
        for name in readOnly where body[name] != nil {
            throw ServiceError(.forbidden, "Attribute '\(name)' is read-only.")
        }
        try refuse(schema.firstViolation(of: .object(body)), schema)
    }

    static func refuse(_ violation: SchemaViolation?, _ schema: JSONSchema) throws(ServiceError) {
        guard let violation else { return }
        throw ServiceError(
            .invalidRequest,
            "Provided object does not match schema '\(schema.name ?? "")': "
                + "'\(violation.path.excerpt)' \(violation.sentence)."
        )
    }

    /// Characters beyond U+FFFF are refused in names and values, as the reference's databases cannot keep them.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`).
    static func requireNarrow(_ value: JSONValue, _ what: String) throws(ServiceError) {
        guard !isWide(value) else {
            throw ServiceError(.invalidRequest, "\(what) can't contain 4 byte unicode characters.")
        }
    }

    /// A name that is a part of paths has no slash: no path would lead to it.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`).
    static func requireReachable(_ name: String, _ what: String) throws(ServiceError) {
        guard !name.utf8.contains(UInt8(ascii: "/")) else {
            throw ServiceError(
                .invalidRequest,
                "The name of \(what) can't contain '/', as no path would lead to it: '\(name.excerpt)'."
            )
        }
    }

    private static func isWide(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .bool, .integer, .double: false
        // Only scalars beyond U+FFFF begin with such a byte.
        case .string(let text): text.utf8.contains { $0 >= 0xF0 }
        case .array(let elements): elements.contains(where: isWide)
        case .object(let object):
            object.members.contains { $0.name.utf8.contains { $0 >= 0xF0 } || isWide($0.value) }
        }
    }

    /// Whether a list of texts holds one twice, byte for byte.
    static func repeats(_ values: [JSONValue]) -> Bool {
        let texts = values.compactMap { $0.stringValue.map { Array($0.utf8) } }
        return Set(texts).count < texts.count
    }
}
