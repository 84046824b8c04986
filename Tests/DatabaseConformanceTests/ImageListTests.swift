import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// What a list shows, and to whom (Image API v2, "List images"). Order and pages are in ``ImagePagingTests``.
@Suite("Image list")
struct ImageListTests {
    // MARK: Visibility

    /// A caller, and how many of the sixteen images it is shown under each visibility filter.
    private struct Row {
        var context: String
        var caller: Caller
        var unspecified: Int
        var all: Int
        var only: [Visibility: Int]
    }

    private static let truthTable = [
        Row(
            context: "an administrator without project",
            caller: Caller(isAdmin: true),
            unspecified: 12,
            all: 16,
            only: [.public: 4, .community: 4, .shared: 4, .private: 4]
        ),
        Row(
            context: "an administrator with project",
            caller: .admin,
            unspecified: 13,
            all: 16,
            only: [.public: 4, .community: 4, .shared: 4, .private: 4]
        ),
        Row(
            context: "an administrator asking as a user",
            caller: .of("admin"),
            unspecified: 7,
            all: 10,
            only: [.public: 4, .community: 4, .shared: 1, .private: 1]
        ),
        Row(
            context: "a user without project",
            caller: .of(nil),
            unspecified: 4,
            all: 8,
            only: [.public: 4, .community: 4, .shared: 0, .private: 0]
        ),
        Row(
            context: "a user with project",
            caller: .of("project1"),
            unspecified: 7,
            all: 10,
            only: [.public: 4, .community: 4, .shared: 1, .private: 1]
        ),
    ]

    /// The rule in words, for images that have no members.
    private static func shows(_ image: Image, to caller: Caller, _ filter: VisibilityFilter) -> Bool {
        let isOwn = image.owner != nil && image.owner == caller.project
        let isOpen = image.visibility == .public || image.visibility == .community
        guard caller.isAdmin || isOwn || isOpen else { return false }
        switch filter {
        case .unspecified: return isOwn || image.visibility != .community
        case .all: return true
        case .only(let visibility): return image.visibility == visibility
        case .nothing: return false
        }
    }

    @Test("every caller is shown what the truth table says under every filter", arguments: DatabaseUnderTest.all)
    func truthTable(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var images: [Image] = []
            for owner in [nil, "admin", "project1", "project2"] {
                for visibility in Visibility.allCases {
                    let image = Image(id: .numbered(images.count), visibility: visibility, owner: owner)
                    images.append(try await tables.create(image))
                }
            }
            for row in Self.truthTable {
                var cells: [(VisibilityFilter, Int)] = [
                    (.unspecified, row.unspecified), (.all, row.all), (.nothing, 0),
                ]
                cells += row.only.map { (.only($0.key), $0.value) }
                for (filter, count) in cells {
                    let listed = try await tables.list(ImageListQuery(limit: 99, visibility: filter), as: row.caller)
                    let expected = images.filter { Self.shows($0, to: row.caller, filter) }
                    #expect(listed.count == count, "\(row.context), \(filter)")
                    #expect(Set(listed.map(\.id)) == Set(expected.map(\.id)), "\(row.context), \(filter)")
                }
            }
        }
    }

    @Test("what is shared is listed by the answer to the sharing", arguments: DatabaseUnderTest.all)
    func members(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var shared: ImageID?
            for (first, owner) in ["tenant1", "tenant2", "admin"].enumerated() {
                for (second, visibility) in Visibility.allCases.enumerated() {
                    let id = ImageID.numbered(first * 10 + second)
                    try await tables.create(Image(id: id, visibility: visibility, owner: owner))
                    if owner == "tenant1", visibility == .shared { shared = id }
                }
            }
            let id = try #require(shared)
            func counts(
                _ project: String?,
                _ visibility: VisibilityFilter = .unspecified
            ) async throws -> [MemberStatusFilter: Int] {
                var counts: [MemberStatusFilter: Int] = [:]
                for status in MemberStatusFilter.allCases {
                    let query = ImageListQuery(limit: 99, visibility: visibility, memberStatus: status)
                    let listed = try await tables.list(query, as: .of(project))
                    #expect(Set(listed.map(\.id)).count == listed.count)
                    counts[status] = listed.count
                }
                return counts
            }
            func by(_ pending: Int, _ accepted: Int, _ rejected: Int, _ all: Int) -> [MemberStatusFilter: Int] {
                [.pending: pending, .accepted: accepted, .rejected: rejected, .all: all]
            }
            #expect(try await counts("tenant1") == by(6, 6, 6, 6))
            #expect(try await counts("tenant4") == by(3, 3, 3, 3))
            #expect(try await counts(nil) == by(3, 3, 3, 3))

            try await tables.share(id, with: "tenant4", "pending")
            #expect(try await counts("tenant4") == by(4, 3, 3, 4))
            #expect(try await counts("tenant4", .only(.shared)) == by(1, 0, 0, 1))
            #expect(try await counts("tenant4", .only(.private)) == by(0, 0, 0, 0))
            #expect(try await counts(nil) == by(4, 3, 3, 4))

            try await tables.share(id, with: "tenant4", "accepted")
            #expect(try await counts("tenant4") == by(3, 4, 3, 4))
            #expect(try await counts("tenant4", .all) == by(6, 7, 6, 7))
            try await tables.share(id, with: "tenant4", "rejected")
            #expect(try await counts("tenant4") == by(3, 3, 4, 4))

            // The status of others does not matter, nor does one's own image show twice.
            try await tables.share(id, with: "tenant3", "accepted")
            try await tables.share(id, with: "tenant1", "accepted")
            #expect(try await counts("tenant4") == by(3, 3, 4, 4))
            #expect(try await counts("tenant1") == by(6, 6, 6, 6))
            #expect(try await counts(nil, .only(.shared)) == by(0, 1, 1, 1))

            // Members stay, but count only while the image is shared.
            var image = try await tables.show(id)
            for (visibility, expected) in [(Visibility.private, by(3, 3, 3, 3)), (.shared, by(3, 3, 4, 4))] {
                image.visibility = visibility
                image = try await tables.update(image)
                #expect(try await counts("tenant4") == expected)
            }
        }
    }

    @Test("hidden images are listed alone, and only when asked for", arguments: DatabaseUnderTest.all)
    func hidden(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: .numbered(1), visibility: .public))
            try await tables.create(Image(id: .numbered(2), visibility: .public, hidden: true))
            for caller in [Caller.admin, .of("tenant1")] {
                #expect(try await tables.list(ImageListQuery(limit: 9), as: caller).map(\.id) == [.numbered(1)])
                let hidden = ImageListQuery(limit: 9, hidden: true)
                #expect(try await tables.list(hidden, as: caller).map(\.id) == [.numbered(2)])
            }
        }
    }

    @Test("deleted and killed images are never listed", arguments: DatabaseUnderTest.all)
    func deletedAndKilled(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for number in 1...3 { try await tables.createActive(Image(id: .numbered(number), owner: "tenant1")) }
            try await tables.delete(.numbered(2))
            try await tables.execute(
                "UPDATE images SET status = 'killed' WHERE id = ?",
                [.text(ImageID.numbered(3).text)]
            )
            let ids = ImageFilter.text(.id, anyOf: (1...3).map { ImageID.numbered($0).text })
            let statuses = ImageFilter.text(.status, anyOf: ["active", "deleted", "killed", "pending_delete"])
            for caller in [Caller.admin, .of("tenant1")] {
                for filters in [[], [ids], [statuses]] {
                    let query = ImageListQuery(limit: 9, filters: filters, visibility: .all)
                    #expect(try await tables.list(query, as: caller).map(\.id) == [.numbered(1)])
                }
            }
        }
    }

    // MARK: Filters

    /// Five images, named by their place: `a` to `e`.
    private func makeFive(_ tables: RegistryTables) async throws {
        let five = [
            Image(
                id: .numbered(1),
                name: "a",
                protected: true,
                owner: "tenant1",
                containerFormat: "bare",
                diskFormat: "raw",
                minDisk: 1,
                minRAM: 512,
                tags: ["x", "y"],
                properties: ["os": "linux", "arch": "x86"]
            ),
            Image(
                id: .numbered(2),
                name: "b",
                owner: "tenant1",
                containerFormat: "ovf",
                diskFormat: "qcow2",
                minRAM: 1024,
                tags: ["y"],
                properties: ["os": "Linux", "arch": "arm"]
            ),
            Image(
                id: .numbered(3),
                name: "c",
                owner: "tenant2",
                containerFormat: "bare",
                diskFormat: "qcow2",
                minDisk: 10,
                properties: ["os": "linux", "arch": ""]
            ),
            Image(id: .numbered(4), name: "d", tags: ["X", "%", "x y"], properties: ["os": nil]),
            Image(id: .numbered(5), name: "e", visibility: .public, owner: "tenant1", tags: ["x"]),
        ]
        for (place, image) in five.enumerated() {
            // The third and the fourth were created within one second.
            let microseconds: [Int64] = [0, 1_000_000, 2_000_000, 2_999_999, 3_000_000]
            let now = Timestamp(microseconds: Timestamp.start.microseconds + microseconds[place])
            try await tables.create(image, at: now)
        }
        let data: [(Int, Int64, Int64?, String)] = [(1, 0, 10, "c1"), (2, 500, nil, "c2"), (3, 1_000, 500, "c1")]
        for (number, size, virtualSize, checksum) in data {
            try await tables.execute(
                """
                UPDATE images SET status = 'active', size = ?, virtual_size = ?, checksum = ?, os_hash_algo = 'sha512',
                    os_hash_value = ? WHERE id = ?
                """,
                [
                    .integer(size), SQLValue(virtualSize), .text(checksum), .text("h\(number)"),
                    .text(ImageID.numbered(number).text),
                ]
            )
        }
    }

    /// Which of the five images, by name and in the order of their creation.
    private func expect(
        _ expected: String,
        _ filters: [ImageFilter],
        _ tables: RegistryTables,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let query = ImageListQuery(limit: 99, sort: [ImageSort(.createdAt, .ascending)], filters: filters)
        let names = try await tables.list(query).map { $0.name ?? "?" }.joined()
        #expect(names == expected, "\(filters)", sourceLocation: sourceLocation)
    }

    @Test("text filters compare byte by byte with one or with several texts", arguments: DatabaseUnderTest.all)
    func textFilters(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeFive(tables)
            let cases: [(ImageFilter.TextColumn, [String], String)] = [
                (.name, ["a"], "a"), (.name, ["A"], ""), (.name, [""], ""), (.name, ["a%"], ""), (.name, [], ""),
                (.name, ["a", "c"], "ac"), (.name, ["a", "c", "e"], "ace"), (.name, ["a", "a", "nobody"], "a"),
                (.name, ["e", "d", "c", "b", "a"], "abcde"),
                (.id, [ImageID.numbered(2).text], "b"),
                (.id, [ImageID.numbered(2).text, ImageID.numbered(5).text], "be"),
                (.id, ["no id"], ""),
                (.status, ["active"], "abc"), (.status, ["queued", "active"], "abcde"), (.status, ["Active"], ""),
                (.containerFormat, ["bare"], "ac"), (.containerFormat, ["bare", "ovf", "ova"], "abc"),
                (.diskFormat, ["qcow2"], "bc"), (.diskFormat, ["raw", "qcow2"], "abc"), (.diskFormat, [""], ""),
                (.owner, ["tenant1"], "abe"), (.owner, [""], ""),
                (.checksum, ["c1"], "ac"), (.hashValue, ["h2"], "b"), (.hashAlgorithm, ["sha512"], "abc"),
                (.hashAlgorithm, ["md5"], ""),
            ]
            for (column, texts, expected) in cases {
                try await expect(expected, [.text(column, anyOf: texts)], tables)
            }
            #expect(Set(cases.map(\.0)) == Set(ImageFilter.TextColumn.allCases))
            let many = (0..<1_000).map { "nobody \($0)" } + ["c"]
            try await expect("c", [.text(.name, anyOf: many)], tables)
        }
    }

    @Test("integer filters include their bounds and never match null", arguments: DatabaseUnderTest.all)
    func integerFilters(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeFive(tables)
            let equal: [(ImageFilter.IntegerColumn, Int64, String)] = [
                (.size, 0, "a"), (.size, 500, "b"), (.size, 7, ""), (.virtualSize, 500, "c"), (.virtualSize, 0, ""),
                (.minRAM, 0, "cde"), (.minRAM, 512, "a"), (.minDisk, 10, "c"), (.minDisk, .max, ""),
            ]
            for (column, value, expected) in equal {
                try await expect(expected, [.integer(column, equals: value)], tables)
            }
            let bounds: [(ImageFilter.IntegerColumn, ImageFilter.IntegerBound, Int64, String)] = [
                (.size, .atLeast, 0, "abc"), (.size, .atLeast, 1, "bc"), (.size, .atLeast, 500, "bc"),
                (.size, .atLeast, 501, "c"), (.size, .atLeast, .min, "abc"), (.size, .atLeast, .max, ""),
                (.size, .atMost, 0, "a"), (.size, .atMost, 500, "ab"), (.size, .atMost, .max, "abc"),
                (.size, .atMost, -1, ""), (.virtualSize, .atMost, .max, "ac"), (.virtualSize, .atLeast, 11, "c"),
                (.minRAM, .atLeast, 512, "ab"), (.minRAM, .atMost, 512, "acde"), (.minDisk, .atLeast, 2, "c"),
                (.minDisk, .atMost, 9, "abde"),
            ]
            for (column, bound, value, expected) in bounds {
                try await expect(expected, [.bound(column, bound, value)], tables)
            }
            try await expect("b", [.bound(.size, .atLeast, 1), .bound(.size, .atMost, 999)], tables)
            try await expect("", [.bound(.size, .atLeast, 2), .bound(.size, .atMost, 1)], tables)
        }
    }

    @Test("times are compared in the whole seconds in which they are shown", arguments: DatabaseUnderTest.all)
    func timeFilters(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeFive(tables)
            let cases: [(ImageFilter.TimeComparison, Int64, String)] = [
                (.equal, 2, "cd"), (.equal, 3, "e"), (.equal, 4, ""), (.equal, -1, ""),
                (.notEqual, 2, "abe"), (.notEqual, 9, "abcde"),
                (.greater, 2, "e"), (.greater, 1, "cde"), (.greater, 3, ""), (.greater, -1, "abcde"),
                (.greaterOrEqual, 2, "cde"), (.greaterOrEqual, 3, "e"), (.greaterOrEqual, 0, "abcde"),
                (.less, 2, "ab"), (.less, 3, "abcd"), (.less, 0, ""),
                (.lessOrEqual, 2, "abcd"), (.lessOrEqual, 1, "ab"), (.lessOrEqual, -1, ""),
            ]
            for column in ImageFilter.TimeColumn.allCases {
                for (comparison, seconds, expected) in cases {
                    try await expect(expected, [.time(column, comparison, .start + seconds)], tables)
                }
            }
            #expect(Set(cases.map(\.0)) == Set(ImageFilter.TimeComparison.allCases))

            let extremes: [(ImageFilter.TimeComparison, String, String)] = [
                (.greater, "", "abcde"), (.less, "abcde", ""), (.equal, "", ""), (.notEqual, "abcde", "abcde"),
            ]
            for (comparison, last, first) in extremes {
                try await expect(last, [.time(.createdAt, comparison, Timestamp(microseconds: .max))], tables)
                try await expect(first, [.time(.createdAt, comparison, Timestamp(microseconds: .min))], tables)
            }

            var changed = try await tables.show(.numbered(1))
            changed.minRAM = 1
            try await tables.update(changed, at: .start + 100)
            try await expect("a", [.time(.updatedAt, .greater, .start + 50)], tables)
            try await expect("", [.time(.createdAt, .greater, .start + 50)], tables)
            try await expect("a", [.time(.updatedAt, .equal, .start + 100), .time(.createdAt, .equal, .start)], tables)
        }
    }

    @Test("tags, properties and protection must match whole, and all of them", arguments: DatabaseUnderTest.all)
    func otherFilters(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeFive(tables)
            let cases: [([ImageFilter], String)] = [
                ([], "abcde"), ([.nothing], ""), ([.protected(true)], "a"), ([.protected(false)], "bcde"),
                ([.tag("x")], "ae"), ([.tag("X")], "d"), ([.tag("y")], "ab"), ([.tag("%")], "d"), ([.tag("x y")], "d"),
                ([.tag("")], ""), ([.tag("x"), .tag("y")], "a"), ([.tag("x"), .tag("x")], "ae"),
                ([.tag("x"), .tag("nobody")], ""),
                ([.property(name: "os", value: "linux")], "ac"), ([.property(name: "os", value: "Linux")], "b"),
                ([.property(name: "OS", value: "linux")], ""), ([.property(name: "os", value: "lin")], ""),
                ([.property(name: "os", value: "")], ""), ([.property(name: "arch", value: "")], "c"),
                ([.property(name: "linux", value: "os")], ""), ([.property(name: "none", value: "linux")], ""),
                ([.property(name: "os", value: "linux"), .property(name: "arch", value: "x86")], "a"),
                ([.property(name: "os", value: "linux"), .property(name: "arch", value: "arm")], ""),
                ([.property(name: "os", value: "linux"), .nothing], ""),
                ([.tag("y"), .property(name: "arch", value: "arm"), .text(.status, anyOf: ["active"])], "b"),
                ([.tag("x"), .protected(false), .text(.owner, anyOf: ["tenant1"])], "e"),
            ]
            for (filters, expected) in cases { try await expect(expected, filters, tables) }
        }
    }

    @Test("filters narrow what a caller is shown and never widen it", arguments: DatabaseUnderTest.all)
    func filtersAndVisibility(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeFive(tables)
            let cases: [(Caller, [ImageFilter], String)] = [
                (.of("tenant2"), [.text(.owner, anyOf: ["tenant1"])], "e"),
                (.of("tenant2"), [.text(.owner, anyOf: ["tenant1", "tenant2"])], "ce"),
                (.of("tenant2"), [.tag("y")], ""), (.of("tenant1"), [.tag("y")], "ab"),
                (.of("tenant2"), [.property(name: "os", value: "linux")], "c"),
                (.of(nil), [.text(.id, anyOf: [ImageID.numbered(4).text])], ""),
                (.of("tenant1"), [.text(.name, anyOf: ["a", "c", "d", "e"])], "ae"),
            ]
            for (caller, filters, expected) in cases {
                let query = ImageListQuery(limit: 99, sort: [ImageSort(.createdAt, .ascending)], filters: filters)
                let names = try await tables.list(query, as: caller).map { $0.name ?? "?" }.joined()
                #expect(names == expected, "\(caller.project ?? "-"), \(filters)")
            }
        }
    }

    @Test("long property values are told apart by what is behind their beginning", arguments: DatabaseUnderTest.all)
    func longValues(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let values = [255, 256, 300, 100_000].flatMap { length in
                ["x", "é", "🦅"].flatMap { unit in
                    ["1", "2"].map { String(repeating: unit, count: length - 1) + $0 }
                }
            }
            for (number, value) in values.enumerated() {
                try await tables.create(Image(id: .numbered(number), properties: ["long": value]))
            }
            for (number, value) in values.enumerated() {
                let query = ImageListQuery(limit: 99, filters: [.property(name: "long", value: value)])
                let listed = try await tables.list(query)
                #expect(listed.map(\.id) == [.numbered(number)], "value \(number)")
                #expect(listed.first?.properties == ["long": value])
            }
            let prefix = ImageFilter.property(name: "long", value: String(repeating: "x", count: 255))
            #expect(try await tables.list(ImageListQuery(limit: 99, filters: [prefix])).isEmpty)
        }
    }
}
