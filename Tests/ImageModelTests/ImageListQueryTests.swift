import ImageModel
import Testing
import WireJSON

private func query(_ parameters: (String, String)..., paging: PageLimits = PageLimits()) throws -> ImageListQuery {
    try ImageListQuery(parameters: parameters.map { (name: $0.0, value: $0.1) }, paging: paging)
}

private func filters(_ parameters: (String, String)...) throws -> [ImageFilter] {
    try ImageListQuery(parameters: parameters.map { (name: $0.0, value: $0.1) }).filters
}

@Suite("List parameters")
struct ImageListQueryTests {
    private static let id = "5C1F6A0E-7d61-4c2f-9a35-0d2b6a7f9e11"

    @Test("no parameter asks for the newest of what the caller may see")
    func defaults() throws {
        let query = try query()
        #expect(query == ImageListQuery(limit: 25))
        #expect(query.visibility == .unspecified)
        #expect(query.memberStatus == .accepted)
        #expect(!query.hidden && query.marker == nil && query.filters.isEmpty)
        #expect(query.sort == [ImageSort(.createdAt, .descending), ImageSort(.id, .descending)])
    }

    @Test(
        "a limit is capped",
        arguments: [
            ("0", 0), ("1", 1), ("1000", 1000), ("1001", 1000), (" 7 ", 7), ("+7", 7), ("007", 7), ("-0", 0),
            ("99999999999999999999999", 1000),
        ]
    )
    func limit(text: String, limit: Int) throws {
        #expect(try query(("limit", text)).limit == limit)
    }

    @Test("the configured page is used, within the configured maximum")
    func paging() throws {
        #expect(try query(paging: PageLimits(default: 7, maximum: 9)).limit == 7)
        #expect(try query(paging: PageLimits(default: 50, maximum: 9)).limit == 9)
        #expect(try query(("limit", "50"), paging: PageLimits(default: 7, maximum: 9)).limit == 9)
    }

    @Test("a marker is an image's id")
    func marker() throws {
        #expect(try query(("marker", Self.id)).marker == ImageID(Self.id))
    }

    @Test(
        "a parameter that cannot be understood is refused",
        arguments: [
            ("limit", "x", "limit param must be an integer"),
            ("limit", "", "limit param must be an integer"),
            ("limit", "1.5", "limit param must be an integer"),
            ("limit", "-", "limit param must be an integer"),
            ("limit", "-1", "limit param must be positive"),
            ("limit", "-99999999999999999999", "limit param must be positive"),
            ("marker", "", "No image found with ID "),
            ("marker", "x", "No image found with ID x"),
            ("visibility", "secret", "Invalid visibility value: secret"),
            ("visibility", "Public", "Invalid visibility value: Public"),
            ("member_status", "x", "Invalid status: x"),
            ("member_status", "", "Invalid status: "),
            ("os_hidden", "x", "for 'os_hidden' filter"),
            ("os_hidden", "", "for 'os_hidden' filter"),
            ("protected", "False", "for 'protected' filter"),
            ("protected", "", "for 'protected' filter"),
            ("name", "x:y", "Unable to filter by unknown operator 'x'."),
            ("name", ":y", "Unable to filter by unknown operator ''."),
            ("id", "neq:y", "Unable to filter by unknown operator 'neq'."),
            ("status", "gt:active", "Unable to filter by unknown operator 'gt'."),
            ("container_format", "IN:bare", "Unable to filter by unknown operator 'IN'."),
            ("disk_format", "x:", "Unable to filter by unknown operator 'x'."),
            ("name", "in:a\"b\"", "There is no comma before opening quotation mark."),
            ("name", "in:\"a\"\"b\"", "There is no comma after closing quotation mark."),
            ("name", "in:\"a\"b", "There is no comma after closing quotation mark."),
            ("name", "in:\"a\"\\\"", "There is no comma after closing quotation mark."),
            ("name", "in:a,\"b", "The quote is not closed."),
            ("name", "in:\"a\\\"", "The quote is not closed."),
            ("created_at", "x", "query filter format. Use ISO 8601 DateTime notation."),
            ("created_at", "", "query filter format. Use ISO 8601 DateTime notation."),
            ("updated_at", "gt:2024-13-01", "query filter format. Use ISO 8601 DateTime notation."),
            ("updated_at", "x:2024-01-01", "Unable to filter on a unknown operator."),
            ("created_at", "in:2024-01-01", "Unable to filter on a unknown operator."),
            ("size_min", "x", "Unable to filter on a range with a non-numeric value."),
            ("virtual_size_max", "", "Unable to filter on a range with a non-numeric value."),
            ("min_disk_max", "1.5", "Unable to filter on a range with a non-numeric value."),
            ("changes-since", "2024-01-01", "no longer available on v2"),
            ("sort", "", "Invalid sort key: ."),
            ("sort", "x", "Invalid sort key: x."),
            ("sort", "name,", "Invalid sort key: ."),
            ("sort", "name:up", "Invalid sort direction: up"),
            ("sort", "name:asc:asc", "Invalid sort direction: asc:asc"),
            ("sort_key", "x", "Invalid sort key: x."),
            ("sort_key", "", "Invalid sort key: ."),
            ("sort_key", "owner", "Invalid sort key: owner."),
            ("sort_dir", "up", "Invalid sort direction: up"),
            ("sort_dir", "ASC", "Invalid sort direction: ASC"),
        ]
    )
    func refused(name: String, value: String, phrase: String) {
        expectRefusal(.invalidRequest, phrase) { _ = try query((name, value)) }
    }

    @Test(
        "a restriction of visibility is read",
        arguments: [
            ("public", .only(.public)), ("community", .only(.community)), ("shared", .only(.shared)),
            ("private", .only(.private)), ("all", .all), ("", .nothing),
        ] as [(String, VisibilityFilter)]
    )
    func visibility(text: String, filter: VisibilityFilter) throws {
        #expect(try query(("visibility", text)).visibility == filter)
    }

    @Test("the answer to a sharing is read", arguments: MemberStatusFilter.allCases)
    func memberStatus(filter: MemberStatusFilter) throws {
        #expect(try query(("member_status", filter.rawValue)).memberStatus == filter)
    }

    @Test(
        "hidden images are shown on request, in any case",
        arguments: [("true", true), ("TRUE", true), ("False", false)]
    )
    func hidden(text: String, hidden: Bool) throws {
        #expect(try query(("os_hidden", text)).hidden == hidden)
    }

    @Test(
        "text is compared with one value or several",
        arguments: [
            ("a", ["a"]),
            ("", [""]),
            ("eq:a", ["a"]),
            ("eq:", [""]),
            ("eq:a:b", ["a:b"]),
            ("eq:in:a", ["in:a"]),
            ("in:a", ["a"]),
            ("in:a,b,c", ["a", "b", "c"]),
            ("in: a, b", [" a", " b"]),
            ("in:", []),
            ("in:a,", ["a"]),
            ("in:,a", ["", "a"]),
            ("in:a,,b", ["a", "", "b"]),
            ("in:\"a,b\",c", ["a,b", "c"]),
            ("in:c,\"a,b\"", ["c", "a,b"]),
            ("in:\"a:b\"", ["a:b"]),
            ("in:a:b", ["a:b"]),
            ("in:\"\"", [""]),
            ("in:\"a\\\"b\"", ["a\"b"]),
            ("in:a\\\"b", ["a\"b"]),
            ("in:\"a\\\\\",b", ["a\\", "b"]),
            ("in:a\\b", ["a\\b"]),
            ("in:,\u{301}", ["", "\u{301}"]),
            // Has colons, and no operator.
            ("2024-01-01T10:00:00Z", ["2024-01-01T10:00:00Z"]),
        ]
    )
    func operators(value: String, texts: [String]) throws {
        for column: ImageFilter.TextColumn in [.name, .id, .status, .containerFormat, .diskFormat] {
            #expect(try filters((column.rawValue, value)) == [.text(column, anyOf: texts)])
        }
    }

    @Test("other texts are compared as they are, operators or not")
    func plainText() throws {
        for column: ImageFilter.TextColumn in [.owner, .checksum, .hashValue, .hashAlgorithm] {
            #expect(try filters((column.rawValue, "in:a,b")) == [.text(column, anyOf: ["in:a,b"])])
        }
    }

    @Test("a number equals, is bounded, or matches nothing", arguments: ImageFilter.IntegerColumn.allCases)
    func numbers(column: ImageFilter.IntegerColumn) throws {
        #expect(try filters((column.rawValue, "5")) == [.integer(column, equals: 5)])
        #expect(try filters((column.rawValue, "x")) == [.nothing])
        #expect(try filters((column.rawValue, "eq:5")) == [.nothing])
        #expect(try filters((column.rawValue + "_min", "5")) == [.bound(column, .atLeast, 5)])
        #expect(try filters((column.rawValue + "_max", "-5")) == [.bound(column, .atMost, -5)])
        #expect(try filters((column.rawValue + "_max", "99999999999999999999")) == [.bound(column, .atMost, .max)])
    }

    @Test(
        "a time is compared",
        arguments: [
            ("2024-02-29", .equal, 0), ("eq:2024-02-29", .equal, 0), ("neq:2024-02-29", .notEqual, 0),
            ("gt:2024-02-29T00:00:01", .greater, 1), ("gte:2024-02-29T01:00:00+01:00", .greaterOrEqual, 0),
            ("lt:2024-02-29T00:00:00Z", .less, 0), ("lte:2024-02-28", .lessOrEqual, -86_400),
            ("2024-02-29T00:01:00Z", .equal, 60),
        ] as [(String, ImageFilter.TimeComparison, Int64)]
    )
    func times(value: String, comparison: ImageFilter.TimeComparison, seconds: Int64) throws {
        let time = Timestamp(seconds: 1_709_164_800 + seconds)
        #expect(try filters(("created_at", value)) == [.time(.createdAt, comparison, time)])
        #expect(try filters(("updated_at", value)) == [.time(.updatedAt, comparison, time)])
    }

    @Test("tags add up, other names count once with their last value")
    func repetition() throws {
        let found = try filters(
            ("tag", " a "),
            ("name", "x"),
            ("tag", "b"),
            ("os_distro", "1"),
            ("name", "y"),
            ("tag", "")
        )
        #expect(
            found == [
                .tag("a"), .text(.name, anyOf: ["y"]), .tag("b"), .property(name: "os_distro", value: "1"), .tag(""),
            ]
        )
        #expect(try query(("limit", "1"), ("limit", "2")).limit == 2)
    }

    @Test(
        "an unknown name is a custom property",
        arguments: ["os_distro", "", "name_min", "created_at_max", "x_min", "is_public"]
    )
    func properties(name: String) throws {
        #expect(try filters((name, "in:v")) == [.property(name: name, value: "in:v")])
    }

    @Test("what no list can be asked for matches nothing or is passed over")
    func oddNames() throws {
        #expect(try filters(("locations", "x")) == [.nothing])
        #expect(try filters(("properties", "x")) == [.nothing])
        #expect(try filters(("deleted", "true")).isEmpty)
        #expect(try filters(("protected", "true")) == [.protected(true)])
    }
}

@Suite("List order")
struct ImageSortTests {
    private func order(_ parameters: (String, String)...) throws -> String {
        try ImageListQuery(parameters: parameters.map { (name: $0.0, value: $0.1) }).sort
            .map { "\($0.key.rawValue):\($0.direction.rawValue)" }.joined(separator: " ")
    }

    @Test("the new way: missing directions are descending, a single one serves the tie break")
    func new() throws {
        #expect(try order(("sort", "name")) == "name:desc created_at:desc id:desc")
        #expect(try order(("sort", "name:asc")) == "name:asc created_at:asc id:asc")
        #expect(try order(("sort", " name : asc , size ")) == "name:asc size:desc created_at:desc id:desc")
        #expect(try order(("sort", "name:asc,size:asc")) == "name:asc size:asc created_at:desc id:desc")
        #expect(try order(("sort", "id:asc")) == "id:asc created_at:asc")
        #expect(try order(("sort", "created_at:asc,id:desc")) == "created_at:asc id:desc")
    }

    @Test("the classic way: one direction serves all keys, several serve one each")
    func classic() throws {
        #expect(try order(("sort_key", "name")) == "name:desc created_at:desc id:desc")
        #expect(try order(("sort_dir", "asc")) == "created_at:asc id:asc")
        #expect(
            try order(("sort_key", "name"), ("sort_key", "size"), ("sort_dir", "asc"))
                == "name:asc size:asc created_at:asc id:asc"
        )
        #expect(
            try order(("sort_dir", "asc"), ("sort_key", "name"), ("sort_dir", "desc"), ("sort_key", "size"))
                == "name:asc size:desc created_at:desc id:desc"
        )
    }

    @Test("every key may be sorted by, once", arguments: ImageSort.Key.allCases)
    func keys(key: ImageSort.Key) throws {
        let sort = try ImageListQuery(parameters: [("sort_key", key.rawValue), ("sort_key", key.rawValue)]).sort
        #expect(sort.first?.key == key)
        #expect(Set(sort.map(\.key)).count == sort.count)
    }

    @Test("the two ways do not mix, and directions must match keys")
    func refused() {
        for name in ["sort_key", "sort_dir"] {
            expectRefusal(.invalidRequest, "Old and new sorting syntax cannot be combined") {
                _ = try order(("sort", "name"), (name, "x"))
            }
        }
        expectRefusal(.invalidRequest, "Number of sort dirs does not match the number of sort keys") {
            _ = try order(("sort_key", "name"), ("sort_dir", "asc"), ("sort_dir", "asc"))
        }
        expectRefusal(.invalidRequest, "Number of sort dirs does not match the number of sort keys") {
            _ = try order(
                ("sort_key", "name"),
                ("sort_key", "id"),
                ("sort_key", "size"),
                ("sort_dir", "asc"),
                ("sort_dir", "asc")
            )
        }
    }
}

@Suite("List queries on the wire")
struct ImageListQueryWireTests {
    private static func every<Word: CaseIterable>(_ filter: (Word) -> ImageFilter) -> [ImageFilter] {
        Word.allCases.map(filter)
    }

    @Test("a query arrives as it was sent")
    func roundTrip() throws {
        let filters =
            Self.every { .text($0, anyOf: []) } + Self.every { .text($0, anyOf: ["a", "\"b\"", ""]) }
            + Self.every { .integer($0, equals: .min) } + Self.every { .bound($0, .atLeast, .max) }
            + Self.every { .bound(.size, $0, 0) } + Self.every { .time($0, .equal, Timestamp(microseconds: -1)) }
            + Self.every { .time(.createdAt, $0, Timestamp(microseconds: 1)) }
            + [.protected(true), .protected(false), .tag("😀"), .property(name: "", value: "v"), .nothing]
        for visibility: VisibilityFilter in [.unspecified, .all, .nothing] + Visibility.allCases.map({ .only($0) }) {
            for status in MemberStatusFilter.allCases {
                let query = ImageListQuery(
                    limit: 7,
                    marker: ImageID("5c1f6a0e-7d61-4c2f-9a35-0d2b6a7f9e11"),
                    sort: ImageSort.Key.allCases.map { ImageSort($0, .ascending) },
                    filters: filters,
                    visibility: visibility,
                    memberStatus: status,
                    hidden: true
                )
                #expect(try ImageListQuery(json: JSONValue(parsing: query.jsonBytes)) == query)
            }
        }
        let least = ImageListQuery(limit: 0)
        #expect(try ImageListQuery(json: JSONValue(parsing: least.jsonBytes)) == least)
    }

    @Test(
        "a query of another shape is refused with the member's name",
        arguments: [
            ("limit", -1), ("limit", "5"), ("marker", "x"), ("sort", [["key": "owner", "direction": "asc"]]),
            ("sort", nil), ("filters", [["kind": "odd"]]), ("filters", [["kind": "tag"]]), ("visibility", "odd"),
            ("member_status", 5), ("hidden", "true"),
        ] as [(String, JSONValue)]
    )
    func refused(name: String, value: JSONValue) throws {
        var object = try #require(try JSONValue(parsing: ImageListQuery(limit: 5).jsonBytes).objectValue)
        object[name] = value
        #expect(throws: JSONShapeError.self) { try ImageListQuery(json: .object(object)) }
    }
}
