import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// What `os_glance_filter` and `os_glance_newest` find; what they are parsed to is in ImageModelTests.
@Suite("Image search")
struct ImageSearchTests {
    /// Six images by the letters of their names' ends.
    private func makeSix(_ tables: RegistryTables) async throws {
        let six = [
            Image(
                id: .numbered(1),
                name: "debian-a",
                visibility: .public,
                owner: "tenant1",
                diskFormat: "raw",
                minRAM: 512,
                tags: ["lts", "LTS2"],
                properties: ["os": "debian", "v": "9.10"]
            ),
            Image(
                id: .numbered(2),
                name: "debian-b",
                visibility: .public,
                owner: "tenant1",
                minRAM: 1024,
                tags: ["daily"],
                properties: ["os": "debian", "v": "22.04"]
            ),
            Image(
                id: .numbered(3),
                name: "Debian-c",
                visibility: .private,
                protected: true,
                owner: "tenant1",
                properties: ["os": "ubuntu", "v": "100"]
            ),
            Image(
                id: .numbered(4),
                name: "deb_d",
                visibility: .public,
                owner: "tenant2",
                tags: ["lts"],
                properties: ["os": "", "v": "rolling"]
            ),
            Image(id: .numbered(5), name: "dec-e", visibility: .public, properties: ["v": "1.2.3", "os": nil]),
            Image(id: .numbered(6), visibility: .public, properties: ["v": "22.040"]),
        ]
        for (place, image) in six.enumerated() {
            try await tables.create(image, at: .start + Int64(place))
        }
        try await tables.execute(
            "UPDATE images SET size = 7, checksum = 'c' WHERE id IN (?, ?)",
            [.text(ImageID.numbered(1).text), .text(ImageID.numbered(3).text)]
        )
    }

    private func found(
        _ conditions: [String],
        as caller: Caller = .admin,
        _ tables: RegistryTables
    ) async throws -> String {
        var query = try ImageListQuery(parameters: conditions.map { (name: "os_glance_filter", value: $0) })
        query.sort = [ImageSort(.createdAt, .ascending), ImageSort(.id, .ascending)]
        return try await tables.list(query, as: caller).map { $0.name?.suffix(1) ?? "f" }.joined()
    }

    @Test("conditions find what they say", arguments: DatabaseUnderTest.all)
    func conditions(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeSix(tables)
            let cases: [(String, String)] = [
                // Texts: byte by byte, and a missing one is unequal to everything.
                ("name:eq:debian-a", "a"), ("name:neq:debian-a", "bcdef"), ("name:in:debian-a,dec-e", "ae"),
                ("name:nin:debian-a,dec-e", "bcdf"), ("name:prefix:deb", "abd"), ("name:prefix:debian-", "ab"),
                ("name:prefix:D", "c"), ("name:prefix:deb%", ""), ("name:prefix:deb_", "d"), ("name:prefix:z", ""),
                ("name:gt:debian-a", "be"), ("name:gte:debian-a", "abe"), ("name:lt:debian-a", "cd"),
                ("name:lte:debian-a", "acd"), ("name:exists", "abcde"), ("name:exists:false", "f"),
                ("checksum:exists", "ac"), ("owner:neq:tenant1", "def"), ("disk_format:exists:false", "bcdef"),
                ("owner:prefix:tenant", "abcd"), ("id:prefix:00000000-0000-4000-8000-000000000003", "c"),
                // Numbers and truth.
                ("size:eq:7", "ac"), ("size:neq:7", "bdef"), ("size:exists", "ac"), ("size:exists:false", "bdef"),
                ("min_ram:in:512,1024", "ab"), ("min_ram:nin:512,1024", "cdef"), ("min_ram:gt:512", "b"),
                ("min_ram:lt:512", "cdef"), ("protected:neq:true", "abdef"), ("protected:eq:true", "c"),
                ("created_at:lt:2023-11-14T22:13:22Z", "ab"),
                // Tags: any of them.
                ("tag:eq:lts", "ad"), ("tag:neq:lts", "bcef"), ("tag:in:lts,daily", "abd"),
                ("tag:nin:lts,daily", "cef"), ("tag:prefix:l", "ad"), ("tag:prefix:L", "a"), ("tag:exists", "abd"),
                ("tag:exists:false", "cef"),
                // Properties: null counts as missing, the empty text does not.
                ("os:eq:debian", "ab"), ("os:neq:debian", "cdef"), ("os:in:debian,ubuntu", "abc"),
                ("os:nin:debian,ubuntu", "def"), ("os:prefix:deb", "ab"), ("os:exists", "abcd"),
                ("os:exists:false", "ef"), ("os:eq:", "d"), ("nobody:exists", ""), ("nobody:neq:x", "abcdef"),
                // With a number, numbers alone are compared; with another text, all values as texts.
                ("v:gte:22.04", "bcf"), ("v:gt:22.04", "c"), ("v:lte:22.04", "abf"), ("v:lt:22.04", "a"),
                ("v:gt:9", "abcf"), ("v:gte:0", "abcf"),  // Too long for a number.
                ("v:lt:1000000000000000000000000000000", "ce"),
                ("v:gt:a", "d"), ("v:lt:a", "abcef"), ("v:gte:1.2.3", "abcdef"), ("v:eq:22.04", "b"),
                ("v:prefix:22.04", "bf"),
            ]
            for (condition, expected) in cases {
                let names = try await found([condition], tables)
                #expect(names == expected, "\(condition)")
            }
            #expect(try await found(["os:eq:debian", "v:gt:10", "tag:exists"], tables) == "b")
        }
    }

    @Test("a prefix ends where the next one begins, whatever its letters", arguments: DatabaseUnderTest.all)
    func prefixes(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let names = [
                "a", "a\u{7F}", "a\u{80}", "é", "e\u{301}", "\u{D7FF}x", "\u{E000}", "\u{10FFFF}", "\u{10FFFF}z",
            ]
            for (number, name) in names.enumerated() {
                try await tables.create(Image(id: .numbered(number), name: name, properties: ["p": name]))
            }
            for prefix in names + ["e", "\u{10FFFF}\u{10FFFF}"] {
                let expected = names.filter { $0.utf8.starts(with: prefix.utf8) }.count
                for field in ["name", "p"] {
                    #expect(
                        try await found(["\(field):prefix:\(prefix)"], tables).unicodeScalars.isEmpty == (expected == 0)
                    )
                    let query = try ImageListQuery(
                        parameters: [(name: "os_glance_filter", value: "\(field):prefix:\(prefix)")]
                    )
                    #expect(try await tables.list(query).count == expected, "\(field) \(prefix)")
                }
            }
        }
    }

    @Test("conditions narrow what a caller is shown and never widen it", arguments: DatabaseUnderTest.all)
    func visibility(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeSix(tables)
            #expect(try await found(["os:neq:debian"], as: .of("tenant2"), tables) == "def")
            #expect(try await found(["os:neq:debian"], as: .of("tenant1"), tables) == "cdef")
            #expect(try await found(["name:exists:false"], as: .of(nil), tables) == "f")
        }
    }

    @Test("the newest of a family is active, visible and not hidden", arguments: DatabaseUnderTest.all)
    func newest(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            func newest(_ caller: Caller, _ more: (name: String, value: String)...) async throws -> [String] {
                let parameters = [(name: "os_glance_newest", value: "family:debian")] + more
                return try await tables.list(ImageListQuery(parameters: parameters), as: caller).map { $0.name ?? "?" }
            }
            #expect(try await newest(.of("tenant2")).isEmpty)
            func make(_ number: Int, _ name: String, _ visibility: Visibility, hidden: Bool = false) -> Image {
                Image(
                    id: .numbered(number),
                    name: name,
                    visibility: visibility,
                    hidden: hidden,
                    owner: "tenant1",
                    tags: number == 1 ? ["old"] : [],
                    properties: ["family": "debian"]
                )
            }
            try await tables.createActive(make(1, "old", .public), at: .start)
            try await tables.createActive(make(2, "new", .public), at: .start + 10)
            try await tables.createActive(make(3, "private", .private), at: .start + 20)
            try await tables.createActive(make(4, "hidden", .public, hidden: true), at: .start + 30)
            try await tables.create(make(5, "queued", .public), at: .start + 40)
            #expect(try await newest(.of("tenant2")) == ["new"])
            #expect(try await newest(.of("tenant1")) == ["private"])
            #expect(try await newest(.of("tenant1"), (name: "visibility", value: "public")) == ["new"])
            #expect(try await newest(.of("tenant2"), (name: "tag", value: "old")) == ["old"])
            #expect(try await newest(.of("tenant2"), (name: "os_glance_filter", value: "name:prefix:o")) == ["old"])
            try await tables.delete(.numbered(2))
            #expect(try await newest(.of("tenant2")) == ["old"])
        }
    }
}
