import ImageModel
import Testing
import WireJSON

private func filter(_ text: String) throws -> [ImageFilter] {
    try ImageListQuery(parameters: [(name: "os_glance_filter", value: text)]).filters
}

private func property(_ name: String, _ test: ImageCondition.Test) -> ImageFilter {
    .condition(ImageCondition(.property(name), test))
}

@Suite("The grammar of os_glance_filter")
struct ImageSearchTests {
    private static let day = Timestamp(seconds: 1_709_164_800)

    private static let grammar: [(String, ImageFilter)] = [
        // What the plain parameters can say becomes what they become.
        ("name:eq:a", .text(.name, anyOf: ["a"])),
        ("name:in:a,\"b,c\"", .text(.name, anyOf: ["a", "b,c"])),
        ("owner:in:a,b", .text(.owner, anyOf: ["a", "b"])),
        ("size:eq:5", .integer(.size, equals: 5)),
        ("size:gte:5", .bound(.size, .atLeast, 5)),
        ("size:gt:5", .bound(.size, .atLeast, 6)),
        ("min_ram:lte:5", .bound(.minRAM, .atMost, 5)),
        ("min_ram:lt:5", .bound(.minRAM, .atMost, 4)),
        ("size:gt:9223372036854775807", .nothing),
        ("size:lt:-9223372036854775808", .nothing),
        ("created_at:gte:2024-02-29T00:00:00Z", .time(.createdAt, .greaterOrEqual, day)),
        ("updated_at:neq:2024-02-29", .time(.updatedAt, .notEqual, day)),
        ("protected:eq:true", .protected(true)),
        ("protected:neq:true", .protected(false)),
        ("tag:eq:x", .tag("x")),
        ("os_distro:eq:debian", .condition(ImageCondition(.property("os_distro"), .anyOf(["debian"])))),
        ("os_distro:in:debian", .condition(ImageCondition(.property("os_distro"), .anyOf(["debian"])))),
        // What they cannot.
        ("name:neq:a", .condition(ImageCondition(.text(.name), .noneOf(["a"])))),
        ("status:nin:a,b", .condition(ImageCondition(.text(.status), .noneOf(["a", "b"])))),
        ("name:prefix:deb", .condition(ImageCondition(.text(.name), .prefix("deb")))),
        ("name:lt:deb", .condition(ImageCondition(.text(.name), .order(.less, "deb")))),
        ("checksum:exists", .condition(ImageCondition(.text(.checksum), .exists(true)))),
        ("disk_format:exists:false", .condition(ImageCondition(.text(.diskFormat), .exists(false)))),
        ("size:neq:+5", .condition(ImageCondition(.integer(.size), .noneOf(["5"])))),
        ("min_disk:in:1, 2", .condition(ImageCondition(.integer(.minDisk), .anyOf(["1", "2"])))),
        ("virtual_size:exists:true", .condition(ImageCondition(.integer(.virtualSize), .exists(true)))),
        ("tag:nin:x,y", .condition(ImageCondition(.tag, .noneOf(["x", "y"])))),
        ("tag:prefix:x", .condition(ImageCondition(.tag, .prefix("x")))),
        ("tag:exists", .condition(ImageCondition(.tag, .exists(true)))),
        ("os_distro:in:debian,ubuntu", property("os_distro", .anyOf(["debian", "ubuntu"]))),
        ("os_version:gt:22.04", property("os_version", .order(.greater, "22.04"))),
        ("os_version:gte:22.04", property("os_version", .order(.greaterOrEqual, "22.04"))),
        ("os_version:lte:22.04", property("os_version", .order(.lessOrEqual, "22.04"))),
        ("p:exists:false", property("p", .exists(false))),
        // Only the first two colons are the grammar's, and a field in quotes may have its own.
        ("p:eq:a:b", .condition(ImageCondition(.property("p"), .anyOf(["a:b"])))),
        ("p:eq:", .condition(ImageCondition(.property("p"), .anyOf([""])))),
        ("p:neq:\"a\"", property("p", .noneOf(["\"a\""]))),
        (
            "\"trait:CUSTOM_X\":eq:required",
            .condition(ImageCondition(.property("trait:CUSTOM_X"), .anyOf(["required"])))
        ),
        ("\"a\\\"b\\\\c\\d\":exists", property("a\"b\\c\\d", .exists(true))),
        ("\"name\":eq:a", .text(.name, anyOf: ["a"])),
        ("é:prefix:\u{301}", property("é", .prefix("\u{301}"))),
    ]

    @Test("a condition is read", arguments: grammar)
    func read(text: String, expected: ImageFilter) throws {
        #expect(try filter(text) == [expected])
    }

    @Test(
        "an error names the part that is wrong",
        arguments: [
            ("", "a colon must follow the field"),
            ("name", "a colon must follow the field"),
            ("\"name\"", "a colon must follow the field"),
            ("\"name\"x:eq:a", "a colon must follow the field"),
            ("\"name:eq:a", "the quote around the field is not closed"),
            (":eq:a", "the field is missing"),
            ("name:", "unknown operator ''"),
            (
                "name:deb",
                "unknown operator 'deb', it must be one of eq, neq, in, nin, gt, gte, lt, lte, prefix, exists"
            ),
            ("name:EQ:a", "unknown operator 'EQ'"),
            ("name:eq", "a colon must follow the operator 'eq'"),
            ("name:prefix:", "the prefix is empty"),
            ("name:prefix:" + String(repeating: "é", count: 256), "the prefix is longer than 255 characters"),
            ("name:in:", "the list of values is empty"),
            ("name:in:a\"b", "There is no comma before opening quotation mark."),
            ("p:nin:\"a", "The quote is not closed."),
            ("p:in:" + String(repeating: "x,", count: 101), "there are more than 100 values"),
            ("p:exists:", "'' is neither 'true' nor 'false'"),
            ("p:exists:yes", "'yes' is neither 'true' nor 'false'"),
            ("protected:eq:1", "'1' is neither 'true' nor 'false'"),
            ("protected:gt:true", "the operator 'gt' does not suit 'protected'"),
            ("protected:exists", "the operator 'exists' does not suit 'protected'"),
            ("size:eq:1.5", "'1.5' is not a whole number, and 'size' is one"),
            ("size:in:1,x", "'x' is not a whole number, and 'size' is one"),
            ("size:prefix:1", "the operator 'prefix' does not suit a number"),
            ("created_at:eq:x", "'x' is not a time in ISO 8601, and 'created_at' is one"),
            ("created_at:in:2024-01-01", "the operator 'in' does not suit a time"),
            ("created_at:exists", "the operator 'exists' does not suit a time"),
            ("tag:gt:x", "the operator 'gt' does not suit a tag"),
            ("tags:eq:x", "the field of a tag is 'tag'"),
            ("visibility:eq:public", "'visibility' is a parameter of its own, not a field"),
            ("os_hidden:eq:true", "'os_hidden' is a parameter of its own, not a field"),
            ("member_status:eq:all", "'member_status' is a parameter of its own, not a field"),
            ("locations:exists", "'locations' cannot be searched"),
            ("properties:exists", "'properties' cannot be searched"),
            ("direct_url:prefix:f", "'direct_url' cannot be searched"),
            ("deleted_at:exists", "'deleted_at' cannot be searched"),
            ("os_glance_stage_host:exists", "'os_glance_stage_host' cannot be searched"),
            (String(repeating: "x", count: 256) + ":eq:a", "cannot be searched"),
        ]
    )
    func refused(text: String, phrase: String) {
        expectRefusal(.invalidRequest, phrase) { _ = try filter(text) }
        expectRefusal(.invalidRequest, "Invalid os_glance_filter '") { _ = try filter(text) }
    }

    @Test("all conditions count, beside the plain parameters, up to sixteen")
    func repetition() throws {
        let parameters = [("tag", "t"), ("os_glance_filter", "p:eq:1"), ("os_glance_filter", "p:eq:1"), ("p", "2")]
        let query = try ImageListQuery(parameters: parameters.map { (name: $0.0, value: $0.1) })
        let one = ImageFilter.condition(ImageCondition(.property("p"), .anyOf(["1"])))
        #expect(query.filters == [.tag("t"), one, one, .property(name: "p", value: "2")])
        let many = (0..<17).map { (name: "os_glance_filter", value: "p:eq:\($0)") }
        #expect(try ImageListQuery(parameters: many.dropLast()).filters.count == 16)
        expectRefusal(.invalidRequest, "There are more than 16 os_glance_filter parameters.") {
            _ = try ImageListQuery(parameters: many)
        }
    }

    @Test(
        "a plain decimal number is digits, perhaps a point and digits",
        arguments: [
            ("0", true), ("22.04", true), ("007", true), ("0.0", true), (String(repeating: "9", count: 30), true),
            ("", false), (".", false), ("5.", false), (".5", false), ("1.2.3", false), ("-1", false), ("+1", false),
            ("1e3", false), ("1,5", false), (" 1", false), ("٣", false), (String(repeating: "9", count: 31), false),
        ]
    )
    func decimal(text: String, isDecimal: Bool) {
        #expect(ImageCondition.isDecimal(text) == isDecimal)
    }

    @Test(
        "the end of a prefix is the least text behind all that begin with it",
        arguments: [
            ("deb", "dec"), ("z", "{"), ("a\u{7F}", "a\u{80}"), ("\u{D7FF}", "\u{E000}"), ("a\u{10FFFF}", "b"),
            ("\u{10FFFF}", nil), ("", nil),
        ] as [(String, String?)]
    )
    func prefixEnd(prefix: String, end: String?) {
        #expect(ImageCondition.end(ofPrefix: prefix).map { Array($0.utf8) } == end.map { Array($0.utf8) })
    }

    @Test("every condition arrives as it was sent", arguments: grammar)
    func roundTrip(text: String, filter: ImageFilter) throws {
        #expect(try ImageFilter(json: JSONValue(parsing: filter.jsonBytes)) == filter)
    }
}

@Suite("The newest of a family")
struct NewestImageTests {
    private func query(_ parameters: (String, String)...) throws -> ImageListQuery {
        try ImageListQuery(parameters: parameters.map { (name: $0.0, value: $0.1) })
    }

    @Test("one active image is asked for, the newest of those that all other filters let through")
    func query() throws {
        let query = try query(
            ("os_glance_newest", "os_family:debian"),
            ("tag", "t"),
            ("limit", "20"),
            ("sort", "name:asc")
        )
        #expect(
            query.filters == [
                .tag("t"), .condition(ImageCondition(.property("os_family"), .anyOf(["debian"]))),
                .text(.status, anyOf: ["active"]),
            ]
        )
        #expect(query.limit == 1 && query.newestOnly && !query.hidden)
        #expect(query.sort == ImageListQuery.defaultSort)
        #expect(try self.query(("os_glance_newest", "p:x"), ("limit", "0")).limit == 0)
    }

    @Test(
        "a family is a tag, a property or a field with a value",
        arguments: [
            ("tag:debian", .tag("debian")), ("tag:a:b", .tag("a:b")), ("name:x", .text(.name, anyOf: ["x"])),
            ("\"a:b\":c", .condition(ImageCondition(.property("a:b"), .anyOf(["c"])))),
            ("p:", .condition(ImageCondition(.property("p"), .anyOf([""])))),
        ] as [(String, ImageFilter)]
    )
    func families(text: String, filter: ImageFilter) throws {
        #expect(try query(("os_glance_newest", text)).filters.first == filter)
    }

    @Test("what makes no sense is refused")
    func refused() {
        let id = "5c1f6a0e-7d61-4c2f-9a35-0d2b6a7f9e11"
        for (other, phrase) in [
            (("marker", id), "combined with marker"), (("os_hidden", "true"), "with os_hidden=true"),
        ] {
            expectRefusal(.invalidRequest, phrase) { _ = try query(("os_glance_newest", "p:x"), other) }
        }
        expectRefusal(.invalidRequest, "Invalid os_glance_newest 'debian': a colon must follow the field.") {
            _ = try query(("os_glance_newest", "debian"))
        }
        expectRefusal(.invalidRequest, "'visibility' is a parameter of its own") {
            _ = try query(("os_glance_newest", "visibility:public"))
        }
    }
}
