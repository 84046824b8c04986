public import WireJSON

/// What clients are shown of the schemas of the metadata definitions (Image API v2, "Metadata definition schemas").
public enum MetadefSchemaDocuments {
    /// Every document under the last part of its path, `/v2/schemas/metadefs/<name>`.
    public static let all: [(name: String, document: JSONValue)] = [
        ("namespace", namespace), ("namespaces", collection("namespaces", of: namespace)),
        ("resource_type", resourceType),
        ("resource_types", collection("resource_type_associations", of: resourceType)),
        ("property", property), ("properties", map("properties", of: property)),
        ("object", object), ("objects", collection("objects", of: object)),
        ("tag", tag), ("tags", collection("tags", of: tag)),
    ]

    // MARK: Records

    private static let namespace = record(
        "namespace",
        [
            ("namespace", text("Unique name of the namespace", maxLength: 80)),
            ("display_name", text("Name to show to users", maxLength: 80)),
            ("description", text("What the definitions are about", maxLength: 500)),
            ("visibility", text("Who may see the namespace", choices: ["public", "private"])),
            ("protected", described("boolean", "Deletion guard flag")),
            ("owner", text("Owning project id", maxLength: 255)),
            ("created_at", time("Creation time")), ("updated_at", time("Last change time")),
            ("schema", readOnly), ("self", readOnly),
            (
                "resource_type_associations",
                list(of: [("name", plainText), ("prefix", plainText), ("properties_target", plainText)])
            ),
            ("properties", reference("property")),
            (
                "objects",
                list(of: [
                    ("name", plainText), ("description", plainText), ("required", reference("stringArray")),
                    ("properties", reference("property")),
                ])
            ),
            ("tags", list(of: [("name", plainText)])),
        ],
        required: ["namespace"],
        definitions: nested
    )

    private static let object = record(
        "object",
        [
            ("name", text("Name of the object, unique in its namespace", maxLength: 80)),
            ("description", text("What the object is about")), ("required", reference("stringArray")),
            ("properties", reference("property")), ("schema", readOnly), ("self", readOnly),
            ("created_at", time("Creation time")), ("updated_at", time("Last change time")),
        ],
        required: ["name"],
        definitions: nested
    )

    private static let property = record(
        "property",
        [("name", text("Name of the property, unique in its namespace", maxLength: 80))] + keywords,
        required: ["name", "type", "title"],
        definitions: lengths + [("stringArray", members(strings + [("minItems", 1)]))]
    )

    private static let tag = record(
        "tag",
        [
            ("name", text("Name of the tag, unique in its namespace", maxLength: 80)),
            ("created_at", time("Creation time")), ("updated_at", time("Last change time")),
        ],
        required: ["name"]
    )

    private static let resourceType = record(
        "resource_type_association",
        [
            ("name", text("Kind of resource, such as OS::Glance::Image", maxLength: 80)),
            ("prefix", text("Put in front of property names on such resources, separator included", maxLength: 80)),
            ("properties_target", text("Where on the resource the properties go", maxLength: 80)),
            ("created_at", time("Creation time")), ("updated_at", time("Last change time")),
        ],
        required: ["name"]
    )

    // MARK: Parts

    private typealias Members = [(String, JSONValue)]

    /// The keywords of a definition, as far as clients are told of them.
    private static let keywords: Members = [
        ("title", plainText), ("description", plainText), ("operators", list(ofKind: "string")), ("type", kind),
        ("required", reference("stringArray")), ("minimum", plain("number")), ("maximum", plain("number")),
        ("maxLength", reference("positiveInteger")), ("minLength", reference("positiveIntegerDefault0")),
        ("pattern", ["type": "string", "format": "regex"]), ("enum", plain("array")),
        ("readonly", plain("boolean")), ("default", [:]),
        (
            "items",
            ["type": "object", "properties": ["type": kind, "enum": plain("array")]]
        ),
        ("maxItems", reference("positiveInteger")), ("minItems", reference("positiveIntegerDefault0")),
        ("uniqueItems", ["type": "boolean", "default": false]), ("additionalItems", plain("boolean")),
    ]

    private static let kind: JSONValue = [
        "type": "string",
        "enum": ["array", "boolean", "integer", "number", "object", "string", nil],
    ]

    private static let lengths: Members = [
        ("positiveInteger", ["minimum": 0, "type": "integer"]),
        ("positiveIntegerDefault0", ["allOf": [reference("positiveInteger"), ["default": 0]]]),
    ]

    private static let strings: Members = [
        ("type", "array"), ("items", ["type": "string"]), ("uniqueItems", true),
    ]

    /// What the documents of namespaces and objects refer to.
    private static let nested: Members =
        lengths + [
            ("stringArray", members(strings)),
            (
                "property",
                [
                    "type": "object",
                    "additionalProperties": [
                        "type": "object",
                        "properties": members([("name", text("Name of the property", maxLength: 80))] + keywords),
                        "required": ["title", "type"],
                    ],
                ]
            ),
        ]

    private static let readOnly: JSONValue = ["type": "string", "readOnly": true]
    private static let plainText = plain("string")

    private static func plain(_ kind: String) -> JSONValue { ["type": .string(kind)] }

    private static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/definitions/\(name)")] }

    private static func described(_ kind: String, _ description: String) -> JSONValue {
        ["type": .string(kind), "description": .string(description)]
    }

    private static func text(_ description: String, maxLength: Int64? = nil, choices: [JSONValue] = []) -> JSONValue {
        var document: JSONObject = ["type": "string", "description": .string(description)]
        if let maxLength { document["maxLength"] = .integer(maxLength) }
        if !choices.isEmpty { document["enum"] = .array(choices) }
        return .object(document)
    }

    private static func time(_ description: String) -> JSONValue {
        ["type": "string", "readOnly": true, "description": .string(description), "format": "date-time"]
    }

    private static func list(of fields: Members) -> JSONValue {
        ["type": "array", "items": ["type": "object", "properties": members(fields)]]
    }

    private static func list(ofKind kind: String) -> JSONValue { ["type": "array", "items": plain(kind)] }

    private static func members(_ fields: Members) -> JSONValue {
        var object: JSONObject = [:]
        for (name, value) in fields { object[name] = value }
        return .object(object)
    }

    // MARK: Documents

    private static func record(
        _ name: String,
        _ fields: Members,
        required: [JSONValue],
        definitions: Members = []
    ) -> JSONValue {
        var document: JSONObject = [
            "name": .string(name), "properties": members(fields), "additionalProperties": false,
            "required": .array(required),
        ]
        if !definitions.isEmpty { document["definitions"] = members(definitions) }
        return .object(document)
    }

    /// A list of records.
    private static func collection(_ name: String, of item: JSONValue) -> JSONValue {
        page(name, item) { ["type": "array", "items": .object($0)] }
    }

    /// Records under their names, which then need not be given again.
    private static func map(_ name: String, of item: JSONValue) -> JSONValue {
        page(name, item) { item in
            var item = item
            item["required"] = .array((item["required"]?.arrayValue ?? []).filter { $0 != "name" })
            return ["type": "object", "additionalProperties": .object(item)]
        }
    }

    /// Definitions move up from the record to the page, where references look for them.
    private static func page(_ name: String, _ item: JSONValue, _ many: (JSONObject) -> JSONValue) -> JSONValue {
        var item = item.objectValue ?? [:]
        var document: JSONObject = ["name": .string(name)]
        document["definitions"] = item["definitions"]
        item["definitions"] = nil
        document["properties"] = members([
            (name, many(item)), ("first", plainText), ("next", plainText), ("schema", plainText),
        ])
        document["links"] = [
            ["rel": "first", "href": "{first}"], ["rel": "next", "href": "{next}"],
            ["rel": "describedby", "href": "{schema}"],
        ]
        return .object(document)
    }
}
