import Testing
import WireJSON

private func read(_ text: String, depthLimit: Int = 64) throws(JSONSyntaxError) -> JSONValue {
    try JSONValue(parsing: Array(text.utf8), depthLimit: depthLimit)
}

@Suite("Reading JSON")
struct JSONReaderTests {
    @Test(
        "every kind of value is read",
        arguments: [
            ("null", .null),
            ("true", true),
            ("false", false),
            ("0", 0),
            ("-0", 0),
            ("42", 42),
            ("9223372036854775807", .integer(.max)),
            ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .double(9_223_372_036_854_775_808)),
            ("0.5", .double(0.5)),
            ("-1.25e2", .double(-125)),
            ("1E+2", .double(100)),
            ("5.0", .double(5)),
            ("\"\"", ""),
            ("\"a\"", "a"),
            ("[]", []),
            ("[1,[2],{}]", [1, [2], [:]]),
            ("{}", [:]),
            (" \t\r\n{ \"a\" : [ 1 , null ] } \n", ["a": [1, nil]]),
        ] as [(String, JSONValue)]
    )
    func values(text: String, value: JSONValue) throws {
        #expect(try read(text) == value)
    }

    @Test(
        "escapes and Unicode become text",
        arguments: [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0041\u00e9\u20AC""#, "Aé€"),
            (#""\u0000""#, "\u{0}"),
            (#""\ud83d\ude00""#, "😀"),
            (#""\uD800\uDC00\uDBFF\uDFFF""#, "\u{10000}\u{10FFFF}"),
            (#""plain \u0041 plain""#, "plain A plain"),
            ("\"é€😀\u{7F}\"", "é€😀\u{7F}"),
        ]
    )
    func strings(text: String, expected: String) throws {
        let value = try read(text).stringValue
        #expect(value.map { Array($0.utf8) } == Array(expected.utf8))
    }

    @Test(
        "what is not JSON is refused",
        arguments: [
            "", " ", "nul", "nulL", "truex", "NaN", "Infinity", "'a'", "01", "-", "-a", "+1", ".5", "1.", "1.e2", "1e",
            "1e+", "0x10", "1 2", "[", "[1", "[1,", "[1,]", "[,]", "[1 2]", "]", "{", "{\"a\"", "{\"a\":", "{\"a\":1",
            "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\" 1}", "\"", "\"a", "\"\\", "\"\\x\"", "\"\\u12\"",
            "\"\\u12G4\"", "\"\\u\u{FF11}234\"", "\"a\nb\"", "\"\\n\u{1}\"", "// a\n1", "1e400", "\u{FEFF}1",
        ]
    )
    func malformed(text: String) {
        #expect(throws: JSONSyntaxError.self) { try read(text) }
    }

    @Test(
        "a surrogate without its other half is refused",
        arguments: [
            #""\ud83d""#, #""\ud83dx""#, #""\ud83d\n""#, #""\ud83d\ud83d""#, #""\ude00""#, #""\ude00\ud83d""#,
            #""\ud83d\u0041""#, #""\ud83d\u""#,
        ]
    )
    func loneSurrogate(text: String) {
        #expect(throws: JSONSyntaxError.self) { try read(text) }
    }

    @Test(
        "bytes that are not UTF-8 are refused, with and without escapes beside them",
        arguments: [
            [0x80], [0xFF], [0xC3], [0xC0, 0xAF], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80],
            [0xF0, 0x80, 0x80, 0xAF],
        ] as [[UInt8]],
        ["", "\\n"]
    )
    func badUTF8(bytes: [UInt8], escape: String) {
        let text = Array("\"\(escape)".utf8) + bytes + Array("\"".utf8)
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: text) }
    }

    @Test("nesting is allowed up to its limit and no further")
    func depth() throws {
        func nested(_ depth: Int, _ open: String, _ close: String) -> String {
            String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        }
        _ = try read(nested(64, "[", "]"))
        _ = try read(nested(3, "{\"a\":", "}"), depthLimit: 3)
        #expect(throws: JSONSyntaxError.self) { try read(nested(65, "[", "]")) }
        #expect(throws: JSONSyntaxError.self) { try read(nested(4, "{\"a\":", "}"), depthLimit: 3) }
        #expect(throws: JSONSyntaxError.self) { try read(String(repeating: "[", count: 1_000_000)) }
    }

    @Test("values beside each other are not taken for nested ones")
    func breadth() throws {
        #expect(try read("[[],[],[],{},{}]", depthLimit: 2).arrayValue?.count == 5)
    }

    @Test("an error says where the text stopped being JSON")
    func offset() {
        let error = #expect(throws: JSONSyntaxError.self) { try read("[1, x]") }
        #expect(error?.offset == 4)
    }

    @Test("a repeated name keeps its first place and its last value")
    func repeatedName() throws {
        let object = try #require(try read(#"{"a":1,"b":2,"a":3}"#).objectValue)
        #expect(object.names == ["a", "b"])
        #expect(object["a"] == 3)
    }

    @Test("memory that is not contiguous is read as well")
    func discontiguous() throws {
        let bytes = Array("[1,".utf8) + Array("\"a\"]".utf8)
        #expect(try JSONValue(parsing: bytes.lazy.map { $0 }) == [1, "a"])
    }

    @Test("every beginning of a document is refused")
    func truncation() {
        let text = Array(#"{"a":[1.5e3,"é\u00e9",{"b":null}],"c":true}"#.utf8)
        for length in 0..<text.count {
            #expect(throws: JSONSyntaxError.self, "\(length) bytes") { try JSONValue(parsing: text[..<length]) }
        }
    }
}
