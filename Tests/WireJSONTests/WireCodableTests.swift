import Testing
import WireJSON

private struct Point: WireCodable, Equatable {
    var x: Int64

    init(x: Int64) { self.x = x }

    func write(to writer: inout JSONWriter) { writer.object { $0.field("x", x) } }

    init(json: JSONValue) throws(JSONShapeError) { x = try JSONMembers(json).integer("x") }
}

private enum Colour: String {
    case red, green
}

@Suite("Reading members")
struct WireCodableTests {
    private let members: JSONMembers

    init() throws {
        members = try JSONMembers([
            "text": "a", "number": 5, "flag": true, "none": nil, "list": ["a", "b"], "mixed": ["a", 1], "colour": "red",
            "point": ["x": 3], "points": [["x": 1], ["x": 2]],
        ])
    }

    @Test("members of the right kind are read")
    func present() throws {
        #expect(try members.string("text") == "a")
        #expect(try members.integer("number") == 5)
        #expect(try members.bool("flag"))
        #expect(try members.strings("list") == ["a", "b"])
        #expect(try members.word("colour", as: Colour.self) == .red)
        #expect(try members.value("point", as: Point.self) == Point(x: 3))
        #expect(try members.values("points", of: Point.self) == [Point(x: 1), Point(x: 2)])
    }

    @Test("an optional member may be null or missing, but not of another kind", arguments: ["none", "absent"])
    func optional(name: String) throws {
        #expect(try members.optionalString(name) == nil)
        #expect(try members.optionalInteger(name) == nil)
        #expect(try members.optionalValue(name, as: Point.self) == nil)
        #expect(throws: JSONShapeError.self) { try members.optionalString("number") }
        #expect(throws: JSONShapeError.self) { try members.optionalInteger("text") }
    }

    @Test("an error names the member")
    func wrong() {
        #expect(throws: JSONShapeError(member: "absent", reason: "is missing")) { try members.string("absent") }
        #expect(throws: JSONShapeError(member: "number", reason: "is integer, a string is expected")) {
            try members.string("number")
        }
        #expect(throws: JSONShapeError(member: "text", reason: "is an unknown word")) {
            try members.word("text", as: Colour.self)
        }
        #expect(throws: JSONShapeError(member: "mixed", reason: "holds integer")) { try members.strings("mixed") }
        #expect(throws: JSONShapeError(member: "", reason: "an object is expected, not array")) {
            try JSONMembers([])
        }
    }

    @Test("a value is written as its own form")
    func bytes() {
        #expect(Point(x: 7).jsonBytes == Array(#"{"x":7}"#.utf8))
    }
}
