/// The schema documents of the metadata definitions as they are promised to clients, without their free descriptions.
/// Words in capitals stand for parts that several documents share.
enum GoldenMetadefSchemas {
    static let all: [(String, String)] = [
        ("namespace", "{NAMESPACE, NESTED}"),
        ("namespaces", #"{"name": "namespaces", NESTED, PAGE}"#.page("NAMESPACE")),
        ("object", "{OBJECT, NESTED}"), ("objects", #"{"name": "objects", NESTED, PAGE}"#.page("OBJECT")),
        ("tag", "{TAG}"), ("tags", #"{"name": "tags", PAGE}"#.page("TAG")), ("resource_type", "{ASSOCIATION}"),
        (
            "resource_types",
            #"{"name": "resource_type_associations", PAGE}"#.page("ASSOCIATION")
        ),
        (
            "property",
            #"{PROPERTY, "required": ["name", "type", "title"], "definitions": {LENGTHS, "stringArray": FILLED}}"#
        ),
        (
            "properties",
            #"""
            {"name": "properties", "definitions": {LENGTHS, "stringArray": FILLED},
             "properties": {
               "properties": {"type": "object", "additionalProperties": {PROPERTY, "required": ["type", "title"]}},
               LINKS
             }, RELATIONS}
            """#
        ),
    ]

    /// The text with every word in capitals replaced by what it stands for.
    static func whole(_ text: String) -> String {
        var text = text
        for (word, meaning) in words {
            text = text.split(separator: word, omittingEmptySubsequences: false).joined(separator: meaning)
        }
        return text
    }

    /// Later ones may be part of earlier ones.
    private static let words: [(String, String)] = [
        (
            "NAMESPACE",
            #"""
            "name": "namespace", "additionalProperties": false, "required": ["namespace"],
            "properties": {
              "namespace": {"type": "string", "maxLength": 80},
              "display_name": {"type": "string", "maxLength": 80},
              "description": {"type": "string", "maxLength": 500},
              "visibility": {"type": "string", "enum": ["public", "private"]},
              "protected": {"type": "boolean"},
              "owner": {"type": "string", "maxLength": 255},
              "created_at": TIME, "updated_at": TIME, "self": READONLY, "schema": READONLY,
              "resource_type_associations": {
                "type": "array",
                "items": {
                  "type": "object",
                  "properties": {"name": TEXT, "prefix": TEXT, "properties_target": TEXT}
                }
              },
              "properties": {"$ref": "#/definitions/property"},
              "objects": {
                "type": "array",
                "items": {
                  "type": "object",
                  "properties": {
                    "name": TEXT, "description": TEXT, "required": {"$ref": "#/definitions/stringArray"},
                    "properties": {"$ref": "#/definitions/property"}
                  }
                }
              },
              "tags": {"type": "array", "items": {"type": "object", "properties": {"name": TEXT}}}
            }
            """#
        ),
        (
            "OBJECT",
            #"""
            "name": "object", "additionalProperties": false, "required": ["name"],
            "properties": {
              "name": {"type": "string", "maxLength": 80}, "description": TEXT,
              "required": {"$ref": "#/definitions/stringArray"}, "properties": {"$ref": "#/definitions/property"},
              "created_at": TIME, "updated_at": TIME, "self": READONLY, "schema": READONLY
            }
            """#
        ),
        (
            "TAG",
            #"""
            "name": "tag", "additionalProperties": false, "required": ["name"],
            "properties": {
              "name": {"type": "string", "maxLength": 80}, "created_at": TIME, "updated_at": TIME
            }
            """#
        ),
        (
            "ASSOCIATION",
            #"""
            "name": "resource_type_association", "additionalProperties": false, "required": ["name"],
            "properties": {
              "name": {"type": "string", "maxLength": 80}, "prefix": {"type": "string", "maxLength": 80},
              "properties_target": {"type": "string", "maxLength": 80}, "created_at": TIME, "updated_at": TIME
            }
            """#
        ),
        ("PROPERTY", #""name": "property", "additionalProperties": false, "properties": {KEYWORDS}"#),
        (
            "NESTED",
            #"""
            "definitions": {
              LENGTHS, "stringArray": {"type": "array", "items": TEXT, "uniqueItems": true},
              "property": {
                "type": "object",
                "additionalProperties": {
                  "type": "object", "required": ["title", "type"], "properties": {KEYWORDS}
                }
              }
            }
            """#
        ),
        ("FILLED", #"{"type": "array", "items": TEXT, "uniqueItems": true, "minItems": 1}"#),
        (
            "LENGTHS",
            #"""
            "positiveInteger": {"type": "integer", "minimum": 0},
            "positiveIntegerDefault0": {"allOf": [{"$ref": "#/definitions/positiveInteger"}, {"default": 0}]}
            """#
        ),
        (
            "KEYWORDS",
            #"""
            "name": {"type": "string", "maxLength": 80}, "title": TEXT, "description": TEXT,
            "operators": {"type": "array", "items": TEXT}, "type": KIND,
            "required": {"$ref": "#/definitions/stringArray"}, "minimum": {"type": "number"},
            "maximum": {"type": "number"}, "maxLength": {"$ref": "#/definitions/positiveInteger"},
            "minLength": {"$ref": "#/definitions/positiveIntegerDefault0"},
            "pattern": {"type": "string", "format": "regex"}, "enum": {"type": "array"},
            "readonly": {"type": "boolean"}, "default": {},
            "items": {"type": "object", "properties": {"type": KIND, "enum": {"type": "array"}}},
            "maxItems": {"$ref": "#/definitions/positiveInteger"},
            "minItems": {"$ref": "#/definitions/positiveIntegerDefault0"},
            "uniqueItems": {"type": "boolean", "default": false}, "additionalItems": {"type": "boolean"}
            """#
        ),
        ("KIND", #"{"type": "string", "enum": ["array", "boolean", "integer", "number", "object", "string", null]}"#),
        ("LINKS", #""first": TEXT, "next": TEXT, "schema": TEXT"#),
        (
            "RELATIONS",
            #"""
            "links": [
              {"rel": "first", "href": "{first}"}, {"rel": "next", "href": "{next}"},
              {"rel": "describedby", "href": "{schema}"}
            ]
            """#
        ),
        ("TIME", #"{"type": "string", "readOnly": true, "format": "date-time"}"#),
        ("READONLY", #"{"type": "string", "readOnly": true}"#), ("TEXT", #"{"type": "string"}"#),
    ]
}

extension String {
    /// With the page of such records in the place of `PAGE`; the list is named like the document.
    fileprivate func page(_ record: String) -> String {
        let name = split(separator: "\"")[3]
        return split(separator: "PAGE", omittingEmptySubsequences: false).joined(
            separator: #""properties": {"\#(name)": {"type": "array", "items": {\#(record)}}, LINKS}, RELATIONS"#
        )
    }
}
