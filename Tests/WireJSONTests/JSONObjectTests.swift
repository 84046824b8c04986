import Testing
import WireJSON

@Suite("JSON objects")
struct JSONObjectTests {
    /// Small objects are searched, larger ones indexed; both sides of the border behave alike.
    @Test("members are set, changed, found and removed in order", arguments: [3, 16, 17, 18, 100])
    func members(count: Int) {
        var object = JSONObject()
        for index in 0..<count { object["m\(index)"] = .integer(Int64(index)) }
        #expect(object.count == count)
        #expect(object.names == (0..<count).map { "m\($0)" })
        object["m1"] = "changed"
        object["m0"] = nil
        object["absent"] = nil
        #expect(object["m0"] == nil)
        #expect(object["m1"] == "changed")
        #expect(object["m\(count - 1)"] == .integer(Int64(count - 1)))
        #expect(object.names.first == "m1")
        #expect(object.count == count - 1)
        object["m0"] = true
        #expect(object.names.last == "m0")
    }

    @Test("an object emptied of many members is empty")
    func emptied() {
        var object = JSONObject()
        for index in 0..<40 { object["m\(index)"] = 1 }
        for index in 0..<40 { object["m\(index)"] = nil }
        #expect(object.isEmpty)
        #expect(object["m3"] == nil)
    }

    @Test("order does not matter to equality, names and values do")
    func equality() {
        let object: JSONObject = ["a": 1, "b": 2]
        #expect(object == ["b": 2, "a": 1])
        #expect(object != ["a": 1])
        #expect(object != ["a": 1, "b": 3])
        #expect(object != ["a": 1, "c": 2])
    }

    @Test(
        "a number without a fraction counts as an integer",
        arguments: [
            (.integer(5), 5), (.double(5), 5), (.double(5.5), nil), (.double(1e30), nil), ("5", nil), (nil, nil),
        ] as [(JSONValue, Int64?)]
    )
    func integers(value: JSONValue, integer: Int64?) {
        #expect(value.integerValue == integer)
    }
}
