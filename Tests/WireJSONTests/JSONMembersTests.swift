import Testing
import WireJSON

private struct Record: WireCodable, Equatable {
    var id: String
    var size: Int64?
    var tags: [String]

    init(id: String, size: Int64? = nil, tags: [String] = []) {
        self.id = id
        self.size = size
        self.tags = tags
    }

    init(json: JSONValue) throws(JSONShapeError) { try self.init(rereading: json) }

    init(reading reader: inout JSONReader) throws(JSONReadError) {
        self.init(id: "")
        try reader.beginObject("")
        while let name = try reader.nextName() {
            switch name {
            case "id": id = try reader.string("id")
            case "size": size = try reader.optionalInteger("size")
            case "tags": tags = try reader.strings("tags")
            default: try reader.skip()
            }
        }
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", id)
            writer.field("size", size)
            writer.field("tags", strings: tags)
        }
    }
}

private func read(_ text: String) throws(JSONReadError) -> Record { try Record(parsing: Array(text.utf8)) }

@Suite("Reading members without a tree")
struct JSONMembersTests {
    @Test(
        "members are met by their names, in any order and among others",
        arguments: [
            (#"{"id":"a","size":5,"tags":["x","y"]}"#, Record(id: "a", size: 5, tags: ["x", "y"])),
            (" {\n\"tags\" : [ ] , \"size\" : null , \"id\" : \"\\u0061\" } ", Record(id: "a")),
            (#"{"more":{"id":[1,{}]},"id":"a","other":[[],"}"],"ID":1}"#, Record(id: "a")),
            (#"{"more":[{"id":{}},[[]],"]\"",null,-1.5e2,true],"id":"a"}"#, Record(id: "a")),
            (#"{"\u0069d":"escaped","s\u0069ze":-9223372036854775808}"#, Record(id: "escaped", size: .min)),
            (#"{"id":"a","id":"b","é":0,"ids":"c","i":"d"}"#, Record(id: "b")),
            (#"{"size":5.0}"#, Record(id: "", size: 5)),
            ("{}", Record(id: "")),
        ]
    )
    fileprivate func members(text: String, expected: Record) throws {
        #expect(try read(text) == expected)
        #expect(try Record(json: JSONValue(parsing: Array(text.utf8))) == expected)
    }

    @Test("what was written is read")
    func roundTrip() throws {
        let record = Record(id: "\"\\\n\u{1}é😀", size: 1_234_567_890_123_456, tags: ["", "\u{7F}"])
        #expect(try Record(parsing: record.jsonBytes) == record)
    }

    @Test(
        "what is no JSON is refused, as by a tree",
        arguments: [
            "", "{", "{\"id\"", "{\"id\":", "{\"id\":\"a\"", "{\"id\":\"a\",", "{\"id\":\"a\",}", "{,}",
            "{\"id\" \"a\"}",
            "{\"id\":\"a\"}x", "{\"tags\":[}", "{\"tags\":[\"a\"", "{\"tags\":[\"a\",]}", "{\"tags\":[\"a\" \"b\"]}",
            "{id:1}",
            "{\"size\":01}", "{\"size\":nul}", "{\"id\":\"\u{1}\"}", "{\"i\u{1}d\":1}", "{\"x\":[1,]}",
            "{\"x\":{\"id\":}}", "{\"x\":{\"id\" 1}}", "{\"x\":[{\"id\":1]}", "{\"x\":[\"\\ud800\"]}", "{\"x\":",
            "{\"x\":}",
            "{\"x\":[tru]}", "{\"x\":[1 2]}",
            "{\"x\":\(String(repeating: "[", count: 64))\(String(repeating: "]", count: 64))}",
        ]
    )
    func noJSON(text: String) {
        let error = #expect(throws: JSONReadError.self) { try read(text) }
        guard case .syntax = error else {
            Issue.record("\(text): \(String(describing: error))")
            return
        }
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: Array(text.utf8)) }
    }

    @Test("bytes that are no UTF-8 are refused, in names too", arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22]])
    func noUTF8(string: [UInt8]) {
        let name = Array("{".utf8) + string + Array(":1}".utf8)
        let value = Array("{\"id\":".utf8) + string + Array("}".utf8)
        for bytes in [name, value] { #expect(throws: JSONReadError.self) { try Record(parsing: bytes) } }
    }

    @Test(
        "another shape is told by the member's name",
        arguments: [
            ("[]", "", "is array, an object is expected"),
            (#"{"id":1}"#, "id", "is integer, a string is expected"),
            (#"{"id":null}"#, "id", "is null, a string is expected"),
            (#"{"size":"5"}"#, "size", "is string, an integer is expected"),
            (#"{"size":5.5}"#, "size", "is number, an integer is expected"),
            (#"{"tags":{}}"#, "tags", "is object, an array is expected"),
            (#"{"tags":["a",true]}"#, "tags", "holds boolean"),
        ]
    )
    func shapes(text: String, member: String, reason: String) {
        let expected = JSONShapeError(member: member, reason: reason)
        #expect(throws: JSONReadError.shape(expected)) { try read(text) }
        #expect(throws: expected) { try Record(json: JSONValue(parsing: Array(text.utf8))) }
    }
}
