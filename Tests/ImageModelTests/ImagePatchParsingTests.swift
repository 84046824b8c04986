import ImageModel
import Testing
import WireJSON

private func parse(_ body: JSONValue, _ dialect: PatchDialect = .v21) throws(ServiceError) -> [ImagePatchOperation] {
    try ImagePatch(parsing: body, dialect: dialect, schema: ImageSchema()).operations
}

private func operation(_ op: String, _ path: String, _ value: JSONValue? = nil) -> JSONValue {
    var object: JSONObject = ["op": .string(op), "path": .string(path)]
    object["value"] = value
    return .object(object)
}

@Suite("Reading changes")
struct ImagePatchParsingTests {
    @Test("both dialects say the same but for what add expects")
    func dialects() throws {
        let new = try parse([
            operation("add", "/x", "v"), operation("replace", "/name", "n"), operation("remove", "/y"),
        ])
        let old = try parse(
            [["add": "/x", "value": "v"], ["replace": "/name", "value": "n"], ["remove": "/y"]],
            .v20
        )
        #expect(
            new == [
                .setProperty(name: "x", value: "v", .put), .setField(.name("n"), .replace), .remove(name: "y"),
            ]
        )
        #expect(
            old == [
                .setProperty(name: "x", value: "v", .insert), .setField(.name("n"), .replace), .remove(name: "y"),
            ]
        )
    }

    @Test("an empty list changes nothing", arguments: PatchDialect.allCases)
    func empty(dialect: PatchDialect) throws {
        #expect(try parse([], dialect).isEmpty)
    }

    @Test("each field is read as its own kind")
    func fields() throws {
        let rows: [(String, JSONValue, ImageFieldValue)] = [
            ("name", nil, .name(nil)), ("visibility", "public", .visibility(.public)),
            ("protected", true, .protected(true)),
            ("os_hidden", true, .hidden(true)), ("owner", "", .owner(nil)), ("owner", nil, .owner(nil)),
            ("container_format", nil, .containerFormat(nil)), ("disk_format", "raw", .diskFormat("raw")),
            ("min_disk", .double(2), .minDisk(2)), ("min_ram", -1, .minRAM(-1)),
            ("tags", ["a", "a"], .tags(["a", "a"])),
        ]
        for (name, value, expected) in rows {
            #expect(try parse([operation("replace", "/" + name, value)]) == [.setField(expected, .replace)])
        }
    }

    @Test(
        "a malformed body is refused with the sentence that clients know",
        arguments: [
            ([:], "Request body must be a JSON array of operation objects."),
            (["x"], "Operations must be JSON objects."),
            ([["path": "/x", "value": "v"]], "Unable to find `op` in JSON Schema change"),
            ([["op": "move", "path": "/x"]], "Invalid operation: `move`."),
            ([["op": 5, "path": "/x"]], "Invalid operation: `5`."),
            ([["op": "add", "value": "v"]], "Unable to find 'path' in JSON Schema change"),
            ([["op": "add", "path": 5, "value": "v"]], "path of an operation must be a string"),
            ([["op": "add", "path": "/x"]], "Operation \"add\" requires a member named \"value\"."),
            ([["op": "replace", "path": "/id"]], "Operation \"replace\" requires a member named \"value\"."),
        ] as [(JSONValue, String)]
    )
    func malformed21(body: JSONValue, phrase: String) {
        expectRefusal(.invalidRequest, phrase) { _ = try parse(body) }
    }

    @Test(
        "a malformed body in the old dialect is refused likewise",
        arguments: [
            ([:], "Request body must be a JSON array of operation objects."),
            ([5], "Operations must be JSON objects."),
            (
                [["op": "add", "path": "/x", "value": "v"]],
                "Operation objects must contain exactly one member named \"add\", \"remove\", or \"replace\"."
            ),
            ([["move": "/x"]], "must contain exactly one member named"),
            ([["add": "/x", "remove": "/x", "value": "v"]], "must contain only one member"),
            ([["add": "/x"]], "Operation \"add\" requires a member named \"value\"."),
            ([["replace": "/x"]], "Operation \"replace\" requires a member named \"value\"."),
            ([["remove": nil]], "path of an operation must be a string"),
        ] as [(JSONValue, String)]
    )
    func malformed20(body: JSONValue, phrase: String) {
        expectRefusal(.invalidRequest, phrase) { _ = try parse(body, .v20) }
    }

    @Test(
        "a path that points nowhere is refused",
        arguments: [
            ("x", "does not start with"),
            ("", "does not start with"),
            ("\u{301}/x", "does not start with"),
            ("/x//y", "contains adjacent"),
            ("/x/ /y", "contains adjacent"),
            ("//x", "contains adjacent"),
            ("/x/", "end with"),
            ("/x~", "not part of a recognized escape sequence."),
            ("/x~2", "not part of a recognized escape sequence."),
            ("/~x", "not part of a recognized escape sequence."),
            ("/x/y", "Invalid JSON pointer for this resource: '/x/y'"),
            ("/tags/-", "Invalid JSON pointer for this resource: '/tags/-'"),
            ("/id/x", "Invalid JSON pointer for this resource: '/id/x'"),
            ("/locations", "Invalid JSON pointer for this resource: '/locations'"),
            ("/locations/1/2", "Invalid JSON pointer for this resource: '/locations/1/2'"),
        ]
    )
    func badPath(path: String, phrase: String) {
        expectRefusal(.invalidRequest, phrase) { _ = try parse([operation("add", path, "v")]) }
        expectRefusal(.invalidRequest, phrase) { _ = try parse([operation("remove", path)]) }
        expectRefusal(.invalidRequest, phrase) { _ = try parse([["add": .string(path), "value": "v"]], .v20) }
    }

    @Test("locations are replaced as a whole")
    func locationsDepth() {
        expectRefusal(.invalidRequest, "Invalid JSON pointer for this resource: '/locations/0'") {
            _ = try parse([operation("replace", "/locations/0", [])])
        }
    }

    @Test(
        "a path names a property once its escapes and blanks are undone",
        arguments: [
            ("/", ""), ("/ ", ""), ("/ x ", "x"), ("/a~1b", "a/b"), ("/a~0b", "a~b"), ("/a~01", "a~1"),
            ("/~1\u{301}", "/\u{301}"),
            ("/\u{301}x", "\u{301}x"), ("/image_id", "image_id"), ("/extra_properties", "extra_properties"),
        ]
    )
    func goodPath(path: String, name: String) throws {
        #expect(try parse([operation("add", path, "v")]) == [.setProperty(name: name, value: "v", .put)])
        #expect(try parse([operation("remove", path)]) == [.remove(name: name)])
    }

    @Test("read-only names are refused in every operation", arguments: PropertyNameTests.readOnly + ["id"])
    func readOnly(name: String) {
        for body in [
            operation("add", "/" + name, "v"), operation("replace", "/" + name, "v"), operation("remove", "/" + name),
        ] {
            expectRefusal(.forbidden, "Attribute '\(name)' is read-only.") { _ = try parse([body]) }
        }
    }

    @Test("reserved names are refused in every operation", arguments: PropertyNameTests.reserved)
    func reserved(name: String) {
        for body in [
            operation("add", "/" + name, "v"), operation("replace", "/" + name, "v"), operation("remove", "/" + name),
        ] {
            expectRefusal(.forbidden, "Attribute '\(name)' is reserved.") { _ = try parse([body]) }
        }
    }

    @Test("a value must fit the schema of its field")
    func values() {
        expectRefusal(.invalidRequest, "Provided object does not match schema 'image': 'protected' must be a boolean") {
            _ = try parse([operation("replace", "/protected", "yes")])
        }
        expectRefusal(.invalidRequest, "'custom' must be a string, not null") {
            _ = try parse([operation("replace", "/custom", .null)])
        }
        #expect(throws: Never.self) {
            let operations = try parse([operation("replace", "/kernel_id", .null)])
            #expect(operations == [.setProperty(name: "kernel_id", value: nil, .replace)])
        }
    }

    @Test("a new property's name has its limit, an old one can be removed whatever its length")
    func longName() throws {
        let path = "/" + String(repeating: "x", count: 256)
        expectRefusal(.invalidRequest, "Custom property should not be greater than 255 characters.") {
            _ = try parse([operation("add", path, "v")])
        }
        #expect(try parse([operation("remove", path)]).count == 1)
    }

    @Test("operations on locations are read and left to others")
    func locations() throws {
        let entry: JSONValue = [
            "url": "http://a", "metadata": ["k": 1],
            "validation_data": ["os_hash_algo": "sha512", "os_hash_value": "ff"],
        ]
        let read = LocationEntry(
            location: ImageLocation(url: "http://a", metadata: ["k": 1]),
            validation: LocationValidation(hashAlgorithm: "sha512", hashValue: "ff")
        )
        let operations = try parse([
            operation("add", "/locations/-", entry), operation("add", "/locations/3", entry),
            operation("add", "/locations/99999999999999999999", entry), operation("add", "/locations/x", entry),
            operation("replace", "/locations", [entry]), operation("replace", "/locations", []),
            operation("remove", "/locations/0"), operation("remove", "/locations/-1"),
        ])
        #expect(
            operations == [
                .locations(.add(read, at: .end)), .locations(.add(read, at: .index(3))),
                .locations(.add(read, at: .index(.max))), .locations(.add(read, at: .invalid)),
                .locations(.replace([read])), .locations(.replace([])), .locations(.remove(at: .index(0))),
                .locations(.remove(at: .invalid)),
            ]
        )
        expectRefusal(.invalidRequest, "'locations[0].url' is required") {
            _ = try parse([operation("add", "/locations/-", ["metadata": [:]])])
        }
        expectRefusal(.invalidRequest, "'locations' must be an array") {
            _ = try parse([operation("replace", "/locations", entry)])
        }
    }
}
