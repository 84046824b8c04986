import ImageModel
import Testing
import WireJSON

@Suite("Values and their definitions")
struct PropertyCatalogueTests {
    static let cases: [(JSONObject, fits: [String], breaks: [(String, String)])] = [
        (["type": "string"], ["", "x"], []),
        (
            ["type": "string", "enum": ["a", 2]], ["a", "2"], [("b", "must be one of: a, 2"), ("A", "must be one of")]
        ),
        (
            ["type": "string", "minLength": 2, "maxLength": 3], ["ab", "ééé"],
            [("a", "at least 2 characters"), ("abcd", "at most 3 characters")]
        ),
        (["type": "string", "pattern": "^[ab]+$"], ["ab"], [("abc", "must match the pattern ^[ab]+$")]),
        (["type": "string", "pattern": "(?=judged by nobody)"], ["x"], []),
        (
            ["type": "integer", "minimum": 1, "maximum": 4], ["1", "4"],
            [("0", "at least 1"), ("5", "at most 4"), ("x", "whole number"), ("1.5", "whole number"), ("", "whole")]
        ),
        (["type": "integer", "enum": ["1", "2"]], ["1"], [("3", "must be one of: 1, 2")]),
        (
            ["type": "number", "minimum": .double(0.5)], ["0.5", "1e3", "7"],
            [("0.4", "at least 0.5"), ("nan", "must be a number"), ("inf", "must be a number"), ("x", "a number")]
        ),
        (["type": "boolean"], ["true", "False", "YES", "0"], [("maybe", "must be true or false"), ("", "true or")]),
        (["type": "object"], ["{}", #"{"a": 1}"#], [("[]", "must be a JSON object"), ("x", "must be a JSON object")]),
        (
            [
                "type": "array", "items": ["type": "string", "enum": ["a", "b"]], "minItems": 1, "maxItems": 2,
                "uniqueItems": true,
            ], ["a", "a, b", #"["b"]"#],
            [
                ("", "at least 1 items"), ("a,b,a", "at most 2 items"), ("a,a", "twice"),
                ("c", "has an item that must be one of: a, b"),
            ]
        ),
        (
            ["type": "string", "enum": ["a", "b c"], "operators": ["<or>"]], ["a", "<or> a", "<or> a <or> b c"],
            [("<or> a <or> d", "must be one of"), ("<in> a", "must be one of")]
        ),
        (["type": "integer", "minimum": 2, "operators": ["s>="]], ["2", "s>= 3"], [("s>= 1", "at least 2")]),
        (["type": "strange"], ["anything"], []),
    ]

    @Test("a value is judged by its definition", arguments: cases)
    func values(_ keywords: JSONObject, _ fits: [String], _ breaks: [(String, String)]) {
        let definition = MetadefDefinition(keywords)
        for text in fits { #expect(definition.complaint(about: text) == nil, "\(text)") }
        for (text, phrase) in breaks {
            let complaint = definition.complaint(about: text)
            #expect(complaint?.contains(phrase) == true, "\(text): \(complaint ?? "fits")")
        }
    }

    private func record(_ name: String, _ prefix: String?, _ content: MetadefContent) -> MetadefRecord {
        var content = content
        content.associations = [ResourceTypeAssociation(name: "T", prefix: prefix)]
        return MetadefRecord(namespace: MetadefNamespace(name: name), content: content)
    }

    private func property(_ name: String, _ keywords: JSONObject) -> MetadefProperty {
        MetadefProperty(name: name, definition: MetadefDefinition(keywords))
    }

    @Test("names are those on the resource, objects count, and one definition that fits is enough")
    func problems() {
        let catalogue = PropertyCatalogue(
            [
                record("one", "x_", MetadefContent(properties: [property("a", ["type": "integer"])])),
                record(
                    "two",
                    nil,
                    MetadefContent(
                        properties: [property("x_a", ["type": "string", "enum": ["auto"]])],
                        objects: [MetadefObject(name: "o", properties: [property("b", ["type": "boolean"])])]
                    )
                ),
            ],
            of: "T"
        )
        #expect(catalogue.problems(in: ["x_a": "5", "b": "true"]).isEmpty)
        #expect(catalogue.problems(in: ["x_a": "auto", "b": nil]).isEmpty)
        let found = catalogue.problems(in: ["x_a": "none", "a": "5", "b": "maybe"])
        #expect(found.map(\.property) == ["a", "b", "x_a"])
        #expect(found.map(\.kind) == [.unknown, .invalid, .invalid])
        #expect(found.map(\.namespaces) == [[], ["two"], ["one", "two"]])
        #expect(found.map(\.sentence)[2] == "must be a whole number")
    }
}
