import ImageModel
import Testing
import WireJSON

@Suite("Bodies about metadata definitions")
struct MetadefDraftTests {
    static let name80 = String(repeating: "é", count: 80)

    @Test("what a namespace leaves out has a default, and the owner is the caller's project")
    func defaults() throws {
        let draft = try MetadefNamespaceDraft(parsing: ["namespace": "Acme::Disk"])
        #expect(draft.namespace(ownedBy: "p1") == MetadefNamespace(name: "Acme::Disk", owner: "p1"))
        #expect(draft.namespace(ownedBy: "p1").visibility == .private)
        #expect(draft.content == MetadefContent())
        let given = try MetadefNamespaceDraft(parsing: ["namespace": "n", "owner": "p2", "visibility": "public"])
        #expect(given.namespace(ownedBy: "p1").owner == "p2")
        #expect(given.namespace(ownedBy: "p1").visibility == .public)
    }

    @Test("a namespace is read with all it holds")
    func nested() throws {
        let draft = try MetadefNamespaceDraft(parsing: [
            "namespace": "n", "display_name": "N", "description": "d", "protected": true,
            "resource_type_associations": [["name": "OS::Glance::Image", "prefix": "p_", "properties_target": "t"]],
            "properties": ["size": ["title": "Size", "type": "integer", "default": 100]],
            "objects": [
                [
                    "name": "limits", "description": "o", "required": ["iops"],
                    "properties": ["iops": ["title": "IOPS", "type": "integer", "minimum": 1, "name": "other"]],
                ]
            ],
            "tags": [["name": "storage"], ["name": "b"]],
        ])
        let namespace = draft.namespace(ownedBy: nil)
        #expect(namespace.displayName == "N")
        #expect(namespace.description == "d")
        #expect(namespace.protected)
        #expect(
            draft.content.associations == [
                ResourceTypeAssociation(name: "OS::Glance::Image", prefix: "p_", propertiesTarget: "t")
            ]
        )
        #expect(draft.content.properties.map(\.name) == ["size"])
        #expect(draft.content.tags.map(\.name) == ["storage", "b"])
        let object = try #require(draft.content.objects.first)
        #expect(object.required == ["iops"])
        #expect(object.properties.first?.definition.keywords == ["title": "IOPS", "type": "integer", "minimum": 1])
    }

    @Test(
        "a default and the choices are texts, and other numbers are whole where they can be",
        arguments: [
            ("default", 100, "100"), ("default", true, "True"), ("default", false, "False"), ("default", "x", "x"),
            ("default", .double(1.5), "1.5"), ("default", [1, "a"], #"[1,"a"]"#), ("enum", [1, "b"], ["1", "b"]),
            ("minimum", .double(5), 5), ("maximum", .double(0.5), .double(0.5)), ("readonly", false, false),
        ] as [(String, JSONValue, JSONValue)]
    )
    func normalised(_ keyword: String, _ given: JSONValue, _ kept: JSONValue) throws {
        let property = try MetadefProperty(parsing: ["name": "n", "title": "t", "type": "string", keyword: given])
        #expect(property.definition.keywords[keyword] == kept)
        #expect(property.definition.keywords.names == ["title", "type", keyword])
    }

    static let refusedNamespaces: [(JSONObject, ServiceError.Code, String)] = [
        ([:], .invalidRequest, "'namespace' is required"),
        (["namespace": ""], .invalidRequest, "'namespace' is shorter than 1"),
        (["namespace": .string(name80 + "x")], .invalidRequest, "'namespace' is longer than 80"),
        (["namespace": 5], .invalidRequest, "'namespace' must be a string"),
        (["namespace": "n", "display_name": .string(name80 + "x")], .invalidRequest, "'display_name' is longer"),
        (["namespace": "n", "description": .string(String(repeating: "x", count: 501))], .invalidRequest, "than 500"),
        (["namespace": "n", "owner": .string(String(repeating: "x", count: 256))], .invalidRequest, "than 255"),
        (["namespace": "n", "visibility": "shared"], .invalidRequest, "'visibility' must be one of: public, private"),
        (["namespace": "n", "protected": "yes"], .invalidRequest, "'protected' must be a boolean"),
        (["namespace": "n", "display_name": nil], .invalidRequest, "'display_name' must be a string, not null"),
        (["namespace": "a/b"], .invalidRequest, "The name of a namespace can't contain '/', as no path would lead"),
        (["namespace": "n", "tags": [["name": "a/b"]]], .invalidRequest, "The name of a tag can't contain '/'"),
        (["namespace": "n", "objects": [["name": "a/b"]]], .invalidRequest, "of an object can't contain '/'"),
        (
            ["namespace": "n", "properties": ["a/b": ["title": "t", "type": "string"]]], .invalidRequest,
            "of a property can't contain '/'"
        ),
        (
            ["namespace": "n", "resource_type_associations": [["name": "a/b"]]], .invalidRequest,
            "of a resource type can't contain '/'"
        ),
        (["namespace": "n", "colour": 1], .invalidRequest, "'colour' is not allowed"),
        (["namespace": "n", "self": "x"], .forbidden, "Attribute 'self' is read-only."),
        (["namespace": "n", "schema": "x"], .forbidden, "Attribute 'schema' is read-only."),
        (["created_at": "x"], .forbidden, "Attribute 'created_at' is read-only."),
        (["namespace": "n", "updated_at": "x"], .forbidden, "Attribute 'updated_at' is read-only."),
        (["namespace": "n😀"], .invalidRequest, "4 byte unicode"),
        (["namespace": "n", "tags": [["name": "😀"]]], .invalidRequest, "4 byte unicode"),
        (["namespace": "n", "tags": [["name": "a", "x": 1]]], .invalidRequest, "'tags[0].x' is not allowed"),
        (["namespace": "n", "tags": [[:]]], .invalidRequest, "'tags[0].name' is required"),
        (["namespace": "n", "tags": "a"], .invalidRequest, "'tags' must be an array"),
        (
            ["namespace": "n", "properties": ["p": ["title": "t", "type": "text"]]], .invalidRequest,
            "'properties.p.type' must be one of: array, boolean"
        ),
        (["namespace": "n", "properties": ["p": ["title": "t"]]], .invalidRequest, "'properties.p.type' is required"),
        (
            ["namespace": "n", "properties": ["": ["title": "t", "type": "string"]]], .invalidRequest,
            "name of 1 to 80 characters"
        ),
        (
            ["namespace": "n", "objects": [["name": "o", "required": ["a", "a"]]]], .invalidRequest,
            "'objects[0].required' names something twice"
        ),
        (
            [
                "namespace": "n",
                "objects": [["name": "o", "properties": ["p": ["title": "t", "type": "string", "x": 1]]]],
            ],
            .invalidRequest, "'objects[0].properties.p.x' is not allowed"
        ),
        (
            ["namespace": "n", "resource_type_associations": [["prefix": "p"]]], .invalidRequest,
            "[0].name' is required"
        ),
    ]

    @Test("a namespace that breaks a rule is refused by its place", arguments: refusedNamespaces)
    func refusedNamespace(_ body: JSONObject, _ code: ServiceError.Code, _ phrase: String) {
        expectRefusal(code, phrase) { _ = try MetadefNamespaceDraft(parsing: body) }
    }

    @Test(
        "a property that breaks a rule is refused by its place",
        arguments: [
            (["title": "t", "type": "string"], .invalidRequest, "'name' is required"),
            (["name": "n", "type": "string"], .invalidRequest, "'title' is required"),
            (["name": "n", "title": "t"], .invalidRequest, "'type' is required"),
            (["name": "n", "title": "t", "type": nil], .invalidRequest, "'type' must be a string"),
            (["name": "n", "title": "t", "type": "string", "minLength": -1], .invalidRequest, "must not be negative"),
            (["name": "n", "title": "t", "type": "string", "maxItems": "1"], .invalidRequest, "must be an integer"),
            (
                ["name": "n", "title": "t", "type": "string", "operators": [1]], .invalidRequest,
                "'operators[0]' must be"
            ),
            (["name": "n", "title": "t", "type": "string", "required": []], .invalidRequest, "must not be empty"),
            (
                ["name": "n", "title": "t", "type": "string", "items": ["type": "x"]], .invalidRequest,
                "'items.type' must"
            ),
            (
                ["name": "n", "title": "t", "type": "array", "items": ["type": "string", "minimum": 1]],
                .invalidRequest, "'items.minimum' is not allowed"
            ),
            (["name": "a/b", "title": "t", "type": "string"], .invalidRequest, "of a property can't contain '/'"),
            (["name": "n", "title": "t", "type": "string", "confidential": true], .invalidRequest, "is not allowed"),
            (["name": "n", "created_at": "x"], .forbidden, "'created_at' is read-only"),
            (["name": "n", "self": "x", "title": "t", "type": "string"], .invalidRequest, "'self' is not allowed"),
            (["name": "n", "title": "😀", "type": "string"], .invalidRequest, "4 byte unicode"),
        ] as [(JSONObject, ServiceError.Code, String)]
    )
    func refusedProperty(_ body: JSONObject, _ code: ServiceError.Code, _ phrase: String) {
        expectRefusal(code, phrase) { _ = try MetadefProperty(parsing: body) }
    }

    @Test("objects, tags and associations have their own rules")
    func otherBodies() throws {
        #expect(try MetadefTag.name(parsing: ["name": .string(Self.name80)]) == Self.name80)
        expectRefusal(.invalidRequest, "longer than 80") {
            _ = try MetadefTag.name(inPath: Self.name80 + "x")
        }
        expectRefusal(.forbidden, "read-only") { _ = try MetadefTag.name(parsing: ["name": "a", "updated_at": "x"]) }
        #expect(try MetadefTag.names(parsing: ["tags": [["name": "a"], ["name": "😀"]]]) == ["a", "😀"])
        expectRefusal(.invalidRequest, "The name of a tag can't contain '/'") {
            _ = try MetadefTag.names(parsing: ["tags": [["name": "a"], ["name": "b/c"]]])
        }
        expectRefusal(.invalidRequest, "'/'") { _ = try MetadefTag.name(parsing: ["name": "a/b"]) }
        expectRefusal(.invalidRequest, "'/'") { _ = try MetadefTag.name(inPath: "a/b") }
        expectRefusal(.invalidRequest, "'/'") { _ = try MetadefObject(parsing: ["name": "a/b"]) }
        expectRefusal(.invalidRequest, "'/'") { _ = try ResourceTypeAssociation(parsing: ["name": "a/b"]) }
        expectRefusal(.invalidRequest, "'tags' is required") { _ = try MetadefTag.names(parsing: [:]) }
        expectRefusal(.invalidRequest, "'tags[0].x' is not allowed") {
            _ = try MetadefTag.names(parsing: ["tags": [["name": "a", "x": 1]]])
        }
        expectRefusal(.forbidden, "'self' is read-only") { _ = try MetadefObject(parsing: ["name": "o", "self": "x"]) }
        expectRefusal(.invalidRequest, "'tags' is not allowed") {
            _ = try MetadefObject(parsing: ["name": "o", "tags": []])
        }
        expectRefusal(.invalidRequest, "'prefix' is longer than 80") {
            _ = try ResourceTypeAssociation(parsing: ["name": "r", "prefix": .string(Self.name80 + "x")])
        }
        expectRefusal(.invalidRequest, "'target' is not allowed") {
            _ = try ResourceTypeAssociation(parsing: ["name": "r", "target": "x"])
        }
    }

    @Test("a prefix goes in front of every name that resources know, and only for its type")
    func prefixes() throws {
        let property = MetadefProperty(name: "iops", definition: MetadefDefinition(["title": "t", "type": "integer"]))
        let content = MetadefContent(
            associations: [ResourceTypeAssociation(name: "A", prefix: "a_"), ResourceTypeAssociation(name: "B")],
            properties: [property],
            objects: [MetadefObject(name: "o", required: ["iops"], properties: [property])],
            tags: [MetadefTag(name: "iops")]
        )
        let prefixed = content.prefixed(for: "A")
        #expect(prefixed.properties.map(\.name) == ["a_iops"])
        #expect(prefixed.objects.first?.properties.map(\.name) == ["a_iops"])
        #expect(prefixed.objects.first?.required == ["a_iops"])
        #expect(prefixed.tags == content.tags)
        #expect(content.prefixed(for: "B") == content)
        #expect(content.prefixed(for: "C") == content)
        #expect(content.associations[0].unprefixed("a_iops") == "iops")
        #expect(content.associations[0].unprefixed("iops") == nil)
        #expect(content.associations[1].unprefixed("iops") == nil)
    }
}
