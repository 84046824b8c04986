import Testing
import WireJSON

@Suite("Writing JSON")
struct JSONWriterTests {
    @Test(
        "values become text",
        arguments: [
            (.null, "null"),
            (true, "true"),
            (false, "false"),
            (.integer(.min), "-9223372036854775808"),
            (.double(0.5), "0.5"),
            (.double(1e20), "1e+20"),
            ("", "\"\""),
            ("a\"b\\c/d", #""a\"b\\c/d""#),
            ("\n\r\t", #""\n\r\t""#),
            ("\u{0}\u{8}\u{1F}\u{7F}", "\"\\u0000\\u0008\\u001f\u{7F}\""),
            ("é€😀", "\"é€😀\""),
            ([], "[]"),
            ([1, [2, []], "x"], #"[1,[2,[]],"x"]"#),
            ([:], "{}"),
            (["a": 1, "b": [:], "c": [nil]], #"{"a":1,"b":{},"c":[null]}"#),
        ] as [(JSONValue, String)]
    )
    func values(value: JSONValue, text: String) {
        #expect(value.text == text)
    }

    @Test(
        "integers of every length and width are written whole",
        arguments: [0, 9, 10, -1, -10, 1_234_567_890, .max, .min] as [Int64]
    )
    func integers(value: Int64) {
        var writer = JSONWriter()
        writer.array { writer in
            writer.integer(value)
            writer.integer(Int(value))
            writer.integer(UInt64(value.magnitude))
        }
        #expect(writer.text == "[\(value),\(value),\(value.magnitude)]")
    }

    @Test("commas stand between members and nowhere else")
    func commas() {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("text", "a")
            writer.field("none", String?.none)
            writer.field("count", 3)
            writer.field("size", Int64?.none)
            writer.field("flag", true)
            writer.field("value", ["x": 1])
            writer.field("object") { $0.field("inner", 1) }
            writer.field("empty") { _ in }
            writer.field("strings", strings: ["a", "b"])
            writer.field("array", array: [1, 2]) { writer, number in writer.object { $0.field("n", number) } }
            writer.name("named")
            writer.array([1, 2]) { $0.integer($1) }
            writer.field("last", false)
        }
        let expected =
            #"{"text":"a","none":null,"count":3,"size":null,"flag":true,"value":{"x":1},"object":{"inner":1},"#
            + #""empty":{},"strings":["a","b"],"array":[{"n":1},{"n":2}],"named":[1,2],"last":false}"#
        #expect(writer.text == expected)
    }

    @Test("a name is escaped like any text")
    func names() {
        var writer = JSONWriter()
        writer.object { $0.field("a\"\n", 1) }
        #expect(writer.text == #"{"a\"\n":1}"#)
    }

    @Test("what has to be escaped is found wherever it stands, among plain text of any length")
    func places() throws {
        for length in 1...24 {
            for place in 0..<length {
                for scalar in (0..<0x80).map({ Unicode.Scalar(UInt8($0)) }) + ["\u{e9}", "\u{20ac}"] {
                    var scalars = [Unicode.Scalar](repeating: "\u{7f}", count: length)
                    scalars[place] = scalar
                    let text = String(String.UnicodeScalarView(scalars))
                    let written = JSONValue.string(text).text
                    #expect(try JSONValue(parsing: written.utf8) == .string(text))
                    let isPlain = scalar.value >= 0x20 && scalar != "\"" && scalar != "\\"
                    #expect(isPlain == (written == "\"\(text)\""))
                }
            }
        }
    }

    @Test("an error thrown while writing reaches the caller")
    func failure() {
        struct Stop: Error {}
        var writer = JSONWriter()
        #expect(throws: Stop.self) { try writer.object { _ in throw Stop() } }
    }
}
