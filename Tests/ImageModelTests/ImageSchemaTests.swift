import ImageModel
import Testing
import WireJSON

@Suite("Schema documents")
struct ImageSchemaTests {
    @Test("the documents are those that clients were promised")
    func golden() throws {
        let image = try GoldenSchemas.document(GoldenSchemas.image)
        let member = try GoldenSchemas.document(GoldenSchemas.member)
        let task = try GoldenSchemas.document(GoldenSchemas.task)
        var row = try #require(task.objectValue)
        var columns = try #require(row["properties"]?.objectValue)
        for name in ["input", "result", "message"] { columns[name] = nil }
        row["properties"] = .object(columns)
        #expect(ImageSchema().document.undescribed == image)
        #expect(MemberSchema.document.undescribed == member)
        #expect(TaskSchema.document.undescribed == task)
        #expect(
            try ImageSchema().collectionDocument.undescribed
                == GoldenSchemas.document(GoldenSchemas.images, ["IMAGE": image])
        )
        #expect(
            try MemberSchema.collectionDocument.undescribed
                == GoldenSchemas.document(GoldenSchemas.members, ["MEMBER": member])
        )
        #expect(
            try TaskSchema.collectionDocument.undescribed
                == GoldenSchemas.document(GoldenSchemas.tasks, ["ROW": .object(row)])
        )
    }

    @Test("a page's rows have exactly the schema of an image, descriptions and all")
    func rows() {
        let schema = ImageSchema()
        let rows = schema.collectionDocument.objectValue?["properties"]?.objectValue?["images"]?.objectValue?["items"]
        #expect(rows == schema.document)
    }

    @Test("the formats are the configured ones, and none")
    func formats() {
        let schema = ImageSchema(containerFormats: ["bare"], diskFormats: ["raw", "gpt"])
        #expect(throws: Never.self) {
            try schema.validate(create: ["container_format": "bare", "disk_format": "gpt"])
            try schema.validate(create: ["container_format": nil, "disk_format": nil])
        }
        expectRefusal(.invalidRequest, "'disk_format' must be one of: null, raw, gpt.") {
            try schema.validate(field: "disk_format", value: "iso")
        }
    }

    @Test(
        "a value that does not fit is refused with its field's name",
        arguments: [
            ("name", 5, "'name' must be a string or null, not an integer."),
            ("name", .string(String(repeating: "x", count: 256)), "'name' is longer than 255 characters."),
            ("visibility", "secret", "'visibility' must be one of: community, public, private, shared."),
            ("visibility", nil, "'visibility' must be a string, not null."),
            ("protected", "true", "'protected' must be a boolean, not a string."),
            ("min_ram", "5", "'min_ram' must be an integer, not a string."),
            ("tags", "x", "'tags' must be an array, not a string."),
            ("tags", ["a", 5], "'tags[1]' must be a string, not an integer."),
            ("tags", [.string(String(repeating: "x", count: 256))], "'tags[0]' is longer than 255 characters."),
            ("id", "x", "'id' must be a UUID."),
            ("kernel_id", "x", "'kernel_id' must be a UUID."),
            ("os_distro", nil, "'os_distro' must be a string, not null."),
            ("custom", 5, "'custom' must be a string, not an integer."),
            ("custom", nil, "'custom' must be a string, not null."),
            ("custom", [], "'custom' must be a string, not an array."),
            ("locations", [["url": "a"]], "'locations[0].metadata' is required."),
            ("locations", [["metadata": [:]]], "'locations[0].url' is required."),
            (
                "locations",
                [["url": .string(String(repeating: "x", count: 256)), "metadata": [:]]],
                "'locations[0].url' is longer than 255 characters."
            ),
            (
                "locations",
                [["url": "a", "metadata": [:], "validation_data": ["os_hash_algo": "sha512"]]],
                "'locations[0].validation_data.os_hash_value' is required."
            ),
        ] as [(String, JSONValue, String)]
    )
    func refused(name: String, value: JSONValue, sentence: String) {
        let schema = ImageSchema()
        var body = JSONObject()
        body[name] = value
        expectRefusal(.invalidRequest, "Provided object does not match schema 'image': " + sentence) {
            try schema.validate(field: name, value: value)
        }
        expectRefusal(.invalidRequest, "Provided object does not match schema 'image': " + sentence) {
            try schema.validate(create: body)
        }
    }

    @Test("a refusal does not send a long name back")
    func longName() {
        let name = String(repeating: "n", count: 100_000)
        let error = #expect(throws: ServiceError.self) { try ImageSchema().validate(field: name, value: 5) }
        #expect((error?.message.utf8.count ?? 0) < 1_000)
    }
}

@Suite("Declared properties")
struct DeclaredPropertiesTests {
    private static let flat: JSONValue = [
        "os_admin": ["type": "string", "enum": ["root", "admin"], "description": "Administrator", "title": "Admin"],
        "ticket": ["type": ["null", "string"], "maxLength": 5, "is_base": true],
    ]

    @Test("both forms of the file declare the same properties, none of them base")
    func forms() throws {
        let flat = try DeclaredProperties(schemaFile: Self.flat)
        let wrapped = try DeclaredProperties(schemaFile: ["properties": Self.flat, "required": ["ticket", "name"]])
        #expect(flat.properties == wrapped.properties)
        #expect(flat.required.isEmpty)
        #expect(wrapped.required == ["ticket", "name"])
        let document = try #require(ImageSchema(declared: wrapped).document.objectValue)
        #expect(document["required"] == ["ticket", "name"])
        let properties = try #require(document["properties"]?.objectValue)
        #expect(
            properties["os_admin"] == [
                "type": "string", "enum": ["root", "admin"], "description": "Administrator", "title": "Admin",
                "is_base": false,
            ]
        )
        #expect(properties["ticket"] == ["type": ["null", "string"], "maxLength": 5, "is_base": false])
        #expect(properties["kernel_id"] == nil)
    }

    @Test("a declared property is judged by its own rules, and a required one must be there")
    func judged() throws {
        let declared = try DeclaredProperties(schemaFile: ["properties": Self.flat, "required": ["ticket"]])
        let schema = ImageSchema(declared: declared)
        try schema.validate(create: ["ticket": nil, "os_admin": "root"])
        expectRefusal(.invalidRequest, "'ticket' is required.") { try schema.validate(create: [:]) }
        expectRefusal(.invalidRequest, "'os_admin' must be one of: root, admin.") {
            try schema.validate(field: "os_admin", value: "guest")
        }
        // A change is judged field by field.
        try schema.validate(field: "os_admin", value: "admin")
    }

    @Test("a pattern is searched for in what is no null")
    func pattern() throws {
        let file: JSONValue = ["ticket": ["type": ["null", "string"], "pattern": "^T-[0-9]+$"]]
        let schema = ImageSchema(declared: try DeclaredProperties(schemaFile: file))
        try schema.validate(create: ["ticket": nil])
        try schema.validate(create: ["ticket": "T-17"])
        expectRefusal(.invalidRequest, "'ticket' does not match the pattern '^T-[0-9]+$'.") {
            try schema.validate(create: ["ticket": "xT-17"])
        }
        let declared = schema.document.objectValue?["properties"]?.objectValue?["ticket"]
        #expect(declared?.objectValue?["pattern"] == "^T-[0-9]+$")
    }

    @Test("a property may be called \"properties\"")
    func namedProperties() throws {
        let declared = try DeclaredProperties(schemaFile: ["properties": ["type": "string"]])
        #expect(declared.properties.map(\.name) == ["properties"])
    }

    @Test(
        "what could not be honoured is refused with the property's name",
        arguments: [
            (["name": ["type": "string"]], "name"),
            (["x": ["type": "integer"]], "x"),
            (["x": ["type": "null"]], "x"),
            (["x": ["type": "string", "pattern": "(a)\\1"]], "x"),
            (["x": ["type": "string", "pattern": 1]], "x"),
            (["x": ["type": "string", "oneOf": []]], "x"),
            (["x": ["type": "string", "maxLength": -1]], "x"),
            (["x": ["type": "string", "enum": []]], "x"),
            (["x": "string"], "x"),
            ([], ""),
            (["properties": [:], "required": "x"], "required"),
        ] as [(JSONValue, String)]
    )
    func refused(file: JSONValue, member: String) {
        let error = #expect(throws: JSONShapeError.self) { try DeclaredProperties(schemaFile: file) }
        #expect(error?.member == member)
    }
}
