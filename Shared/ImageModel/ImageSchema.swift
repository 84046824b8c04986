public import WireJSON

/// What an image looks like to clients: the document they fetch and the rule their requests are judged by, from one
/// source (Image API v2, "Image schema").
public struct ImageSchema: Sendable, Equatable {
    public static let defaultContainerFormats = ["ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"]
    public static let defaultDiskFormats = [
        "ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop",
    ]

    public let schema: JSONSchema
    /// The schema of an image as it is served.
    public let document: JSONValue
    /// The schema of a page of images as it is served.
    public let collectionDocument: JSONValue

    /// - Parameters:
    ///   - containerFormats: The words that `container_format` allows.
    ///   - diskFormats: The words that `disk_format` allows.
    ///   - declared: What the operator declares beside the fields of an image.
    public init(
        containerFormats: [String] = Self.defaultContainerFormats,
        diskFormats: [String] = Self.defaultDiskFormats,
        declared: DeclaredProperties = .stock
    ) {
        schema = JSONSchema(
            name: "image",
            properties: Self.baseProperties(containerFormats: containerFormats, diskFormats: diskFormats)
                + declared.properties,
            required: declared.required,
            additionalProperties: .matching(JSONSchema(.string)),
            links: [
                JSONSchema.Link("self", "{self}"),
                JSONSchema.Link("enclosure", "{file}"),
                JSONSchema.Link("describedby", "{schema}"),
            ]
        )
        document = schema.document
        collectionDocument =
            JSONSchema(
                name: "images",
                properties: [
                    JSONSchema.Property("images", JSONSchema(.array, items: .matching(schema))),
                    JSONSchema.Property("first", JSONSchema(.string)),
                    JSONSchema.Property("next", JSONSchema(.string)),
                    JSONSchema.Property("schema", JSONSchema(.string)),
                ],
                links: [
                    JSONSchema.Link("first", "{first}"),
                    JSONSchema.Link("next", "{next}"),
                    JSONSchema.Link("describedby", "{schema}"),
                ]
            ).document
    }

    /// The properties that the operator declared beside the fields of an image.
    public var declaredNames: Set<String> {
        Set(schema.properties.filter { $0.schema.isBase == false }.map(\.name))
    }

    /// - Throws: ``ServiceError`` (`invalidRequest`) naming the first field that does not fit.
    public func validate(create object: JSONObject) throws(ServiceError) {
        try refuse(schema.firstViolation(of: .object(object)))
    }

    /// Judges the value of one field, as a change gives it.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`) naming the field.
    public func validate(field name: String, value: JSONValue) throws(ServiceError) {
        guard case .matching(let field) = schema.member(name) else { return }
        try refuse(field.firstViolation(of: value, at: name))
    }

    private func refuse(_ violation: SchemaViolation?) throws(ServiceError) {
        guard let violation else { return }
        let field = violation.path.excerpt
        throw ServiceError(
            .invalidRequest,
            "Provided object does not match schema 'image': '\(field)' \(violation.sentence)."
        )
    }
}

extension ImageSchema {
    /// The fields that every image has, in the order in which they are served.
    static func baseProperties(containerFormats: [String], diskFormats: [String]) -> [JSONSchema.Property] {
        func nullable(_ words: [String]) -> [JSONValue] { [.null] + words.map { .string($0) } }
        let statuses: [ImageStatus] = [
            .queued, .saving, .active, .killed, .deleted, .uploading, .importing, .pendingDelete, .deactivated,
        ]
        let visibilities: [Visibility] = [.community, .public, .private, .shared]
        let fields: [(String, JSONSchema)] = [
            ("id", JSONSchema(.string, description: "Image UUID", pattern: .uuid)),
            ("name", JSONSchema(.null, .string, description: "Display name", maxLength: 255)),
            (
                "status",
                JSONSchema(
                    .string,
                    description: "Life-cycle state",
                    choices: statuses.map { .string($0.rawValue) },
                    isReadOnly: true
                )
            ),
            (
                "visibility",
                JSONSchema(
                    .string,
                    description: "Who may see the image",
                    choices: visibilities.map { .string($0.rawValue) }
                )
            ),
            ("protected", JSONSchema(.boolean, description: "Deletion guard flag")),
            ("os_hidden", JSONSchema(.boolean, description: "Hide from default listings")),
            ("checksum", readOnlyText("MD5 of the data (legacy)", maxLength: 32)),
            ("os_hash_algo", readOnlyText("Digest algorithm of os_hash_value", maxLength: 64)),
            ("os_hash_value", readOnlyText("Hex digest of the data", maxLength: 128)),
            ("owner", JSONSchema(.null, .string, description: "Owning project id", maxLength: 255)),
            ("size", JSONSchema(.null, .integer, description: "Data length in bytes", isReadOnly: true)),
            (
                "virtual_size",
                JSONSchema(.null, .integer, description: "Guest-visible disk size in bytes", isReadOnly: true)
            ),
            (
                "container_format",
                JSONSchema(.null, .string, description: "Wrapper format", choices: nullable(containerFormats))
            ),
            ("disk_format", JSONSchema(.null, .string, description: "Disk format", choices: nullable(diskFormats))),
            ("created_at", JSONSchema(.string, description: "Creation time", isReadOnly: true)),
            ("updated_at", JSONSchema(.string, description: "Last change time", isReadOnly: true)),
            (
                "tags",
                JSONSchema(.array, description: "Tag strings", items: .matching(JSONSchema(.string, maxLength: 255)))
            ),
            ("direct_url", JSONSchema(.string, description: "Backend URL of the preferred copy", isReadOnly: true)),
            ("min_ram", JSONSchema(.integer, description: "Minimum RAM, MB")),
            ("min_disk", JSONSchema(.integer, description: "Minimum disk, GB")),
            ("self", JSONSchema(.string, description: "Relative URL of the record", isReadOnly: true)),
            ("file", JSONSchema(.string, description: "Relative URL of the data", isReadOnly: true)),
            (
                "stores",
                JSONSchema(.string, description: "Comma-joined ids of stores holding the data", isReadOnly: true)
            ),
            ("schema", JSONSchema(.string, description: "Relative URL of this schema", isReadOnly: true)),
            ("locations", JSONSchema(.array, description: "Backend URLs", items: .matching(location))),
        ]
        return fields.map { JSONSchema.Property($0.0, $0.1) }
    }

    private static func readOnlyText(_ description: String, maxLength: Int) -> JSONSchema {
        JSONSchema(.null, .string, description: description, maxLength: maxLength, isReadOnly: true)
    }

    private static let location = JSONSchema(
        .object,
        properties: [
            JSONSchema.Property("url", JSONSchema(.string, maxLength: 255)),
            JSONSchema.Property("metadata", JSONSchema(.object)),
            JSONSchema.Property(
                "validation_data",
                JSONSchema(
                    .object,
                    description: "Hash values to store or to compare",
                    properties: [
                        JSONSchema.Property("checksum", JSONSchema(.string, minLength: 32, maxLength: 32)),
                        JSONSchema.Property("os_hash_algo", JSONSchema(.string, maxLength: 64)),
                        JSONSchema.Property("os_hash_value", JSONSchema(.string, maxLength: 128)),
                    ],
                    required: ["os_hash_algo", "os_hash_value"],
                    additionalProperties: .nothing,
                    isWriteOnly: true
                )
            ),
        ],
        required: ["url", "metadata"]
    )
}
