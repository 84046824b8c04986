import Testing
import WireJSON

@testable import ImageModel

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
            [
                ("0.4", "at least 0.5"), ("nan", "must be a number"), ("inf", "must be a number"), ("x", "a number"),
                ("0x3", "must be a number"), ("1e999", "must be a number"), (" 3", "must be a number"),
                ("", "must be a number"),
            ]
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
        (
            [
                "type": "array", "items": ["type": "string", "enum": ["x86:AES", "x86:AVX"]], "minItems": 2,
                "operators": ["<or>", "<all-in>"],
            ], ["<all-in> x86:AES x86:AVX", "<all-in> x86:AES", "<or> x86:AES <or> x86:AVX", "x86:AES,x86:AVX"],
            [
                ("<or>", "must have an operand after <or>"), ("<or> <or> x86:AES", "an operand after <or>"),
                ("<or> x86:AES <or>", "an operand after <or>"), ("<all-in> x86:AES x86:SSE", "must be one of: x86:AES"),
                ("<or> x86:AES <all-in> x86:AVX", "must not mix the operators <or> and <all-in>"),
                ("<all-in>", "an operand after <all-in>"), ("<in> x86:AES", "at least 2 items"),
            ]
        ),
        (
            ["type": "string", "enum": ["x86_64", "ppc64le"], "operators": ["<in>", "s==", "s!="]],
            ["<in> 64", "<in> x86", "s== x86_64", "s!= ppc64le", "x86_64"],
            [
                ("<in> arm", "must be part of one of: x86_64"), ("s== arm", "must be one of"),
                ("s== x86_64 s== ppc64le", "must have s== only once"), ("s< x86_64", "must be one of"),
            ]
        ),
        (
            ["type": "integer", "minimum": 1, "maximum": 9, "operators": ["=", ">=", "<=", "==", "!=", "<range-in>"]],
            ["= 1", ">= 2", "<= 9", "== 3", "!= 4", "<range-in> [ 1 5 ]", "<range-in> (1 5]"],
            [
                (">= x", "must have a number after >="), (">= 10", "at most 9"), ("= 1.5", "a whole number"),
                ("<range-in> 1 5", "two numbers in brackets"), ("<range-in> [ 5 1 ]", "the smaller one first"),
                ("<range-in> [ 0 5 ]", "at least 1"), ("<range-in> [", "two numbers"), ("<range-in>", "an operand"),
            ]
        ),
        (["type": "array", "operators": ["<or>"]], ["<or> anything", "x"], [("<or>", "an operand after <or>")]),
        (["type": "string"], ["<or>", "<in> x"], []),
        (["type": "strange"], ["anything"], []),
    ]

    @Test("a value is judged by its definition", arguments: cases)
    func values(_ keywords: JSONObject, _ fits: [String], _ breaks: [(String, String)]) {
        let definition = MetadefDefinition(keywords)
        var budget = PatternBudget()
        for text in fits {
            let complaint = definition.complaint(about: text, within: &budget)
            #expect(complaint == nil, "\(text)")
        }
        for (text, phrase) in breaks {
            let complaint = definition.complaint(about: text, within: &budget)
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

    @Test("patterns take no more than their bound for all properties together", .timeLimit(.minutes(1)))
    func bound() {
        let slow = ["type": "string", "pattern": "(.{0,200}){0,5}x$"] as JSONObject
        let names = (100..<228).map { "p\($0)" }
        let catalogue = PropertyCatalogue(
            [record("one", nil, MetadefContent(properties: names.map { property($0, slow) }))],
            of: "T"
        )
        func properties(_ count: Int) -> [String: String?] {
            Dictionary(uniqueKeysWithValues: names.map { ($0, String(repeating: "a", count: count) + "x") })
        }
        let one = catalogue.problems(in: ["p100": properties(6_000)["p100"] ?? ""])
        #expect(one.map(\.sentence) == ["is too long to be held to the pattern (.{0,200}){0,5}x$"])
        #expect(catalogue.problems(in: ["p100": "aax"]).isEmpty)
        let all = catalogue.problems(in: properties(100))
        #expect(!all.isEmpty && all.count < names.count)
        #expect(all.map(\.property) == Array(names.suffix(all.count)))
    }
}
