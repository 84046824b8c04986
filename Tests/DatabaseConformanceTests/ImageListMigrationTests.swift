import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// What lists are found by is there for images of the release before, made before the migration or beside it.
@Suite("Migration of image lists")
struct ImageListMigrationTests {
    private static let before = MigrationRunner(Array(Migration.all.prefix(1)))

    /// An image as the release before writes it, a second younger than the one of the number before.
    private func write(_ number: Int, os: String, _ database: any Database) async throws {
        let id = SQLValue.text(ImageID.numbered(number).text)
        let time = SQLValue.integer((Timestamp.start + Int64(number)).microseconds)
        try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO images (id, name, status, visibility, protected, os_hidden, owner, min_disk, min_ram, created_at,
                    updated_at, revision) VALUES (?, ?, 'active', 'shared', 0, 0, 'tenant1', 0, 0, ?, ?, 1)
                """,
                [id, number % 2 == 0 ? .null : .text("name \(number)"), time, time]
            )
            try connection.execute(
                "INSERT INTO image_tags (image_id, value, position) VALUES (?, 'x', 0) ON CONFLICT (image_id, value) DO NOTHING",
                [id]
            )
            try connection.execute(
                """
                INSERT INTO image_members (image_id, member, status, created_at, updated_at)
                VALUES (?, 'tenant2', 'accepted', 0, 0) ON CONFLICT (image_id, member) DO NOTHING
                """,
                [id]
            )
        }
        try await put(os, number, database)
    }

    private func put(_ os: String, _ number: Int, _ database: any Database) async throws {
        try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO image_properties (image_id, name, value) VALUES (?, 'os', ?)
                ON CONFLICT (image_id, name) DO UPDATE SET value = excluded.value
                """,
                [.text(ImageID.numbered(number).text), .text(os)]
            )
        }
    }

    @Test("images of the release before are listed like all others", arguments: DatabaseUnderTest.all)
    func listed(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await Self.before.sync(database)
            for number in 1...4 { try await write(number, os: number == 2 ? "other" : "linux", database) }
            try await MigrationRunner(Migration.all).sync(database, through: .expand)
            // The release before may go on.
            try await Self.before.requireSuitable(database)
            for number in 5...7 { try await write(number, os: "linux", database) }
            try await put("other", 6, database)
            try await put("linux", 2, database)

            let tables = RegistryTables(database: database)
            func numbers(_ filters: [ImageFilter], _ sort: [ImageSort], _ caller: Caller) async throws -> [Int] {
                let query = ImageListQuery(limit: 9, sort: sort, filters: filters)
                let ids = try await tables.list(query, as: caller).map(\.id)
                return ids.compactMap { id in (1...7).first { ImageID.numbered($0) == id } }
            }
            let byName = [ImageSort(.name, .ascending), ImageSort(.createdAt, .ascending), ImageSort(.id, .ascending)]
            for caller in [Caller.admin, .of("tenant1"), .of("tenant2")] {
                func expect(
                    _ expected: [Int],
                    _ filters: [ImageFilter] = [],
                    _ sort: [ImageSort] = ImageListQuery.defaultSort,
                    sourceLocation: SourceLocation = #_sourceLocation
                ) async throws {
                    let found = try await numbers(filters, sort, caller)
                    #expect(found == expected, "\(caller.project ?? "-")", sourceLocation: sourceLocation)
                }
                try await expect([7, 6, 5, 4, 3, 2, 1])
                try await expect([7, 6, 5, 4, 3, 2, 1], [.tag("x")])
                try await expect([7, 5, 4, 3, 2, 1], [.property(name: "os", value: "linux")])
                try await expect([6], [.property(name: "os", value: "other")])
                try await expect([2, 4, 6, 1, 3, 5, 7], [], byName)
                try await expect([3], [.text(.name, anyOf: ["name 3"])])
            }
        }
    }
}
