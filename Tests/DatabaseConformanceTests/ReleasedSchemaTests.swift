import Foundation
import ImageModel
import RegistryContract
import RegistryDatabase
import Testing
import WireJSON

/// Databases as releases left them, brought to today's schema with everything that was in them.
@Suite("Released schemas")
struct ReleasedSchemaTests {
    /// The dumps in `Tests/Releases/<migration>/<database>.sql`; one is added with each release and never changed.
    private static let releases = ["0001"]

    private func dump(_ release: String, _ dialect: SQLDialect) throws -> String {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Releases/\(release)/\(dialect.name.rawValue).sql")
        return try String(contentsOf: file, encoding: .utf8)
    }

    @Test("is migrated, twice without harm, and keeps its rows", arguments: DatabaseUnderTest.all, releases)
    func migrated(_ subject: DatabaseUnderTest, _ release: String) async throws {
        try await subject.withDatabase { database in
            let dump = try dump(release, database.dialect)
            try await database.write { try $0.script(dump) }
            let runner = MigrationRunner(Migration.all)
            #expect(try await runner.status(database).version == Int(release))
            let pending = Migration.all.filter { $0.number > Int(release) ?? 0 }
            #expect(try await runner.sync(database).map(\.number) == pending.map(\.number))
            #expect(try await runner.sync(database).isEmpty)
            try await runner.requireSuitable(database)
            let tables = RegistryTables(database: database)
            try await expectUsage(tables)
            try await expectImages(tables)
            try await expectWork(tables)
        }
    }

    /// What was there before anybody counted.
    private func expectUsage(_ tables: RegistryTables) async throws {
        for project in ["tenant1", "tenant2", "nobody"] {
            #expect(try await tables.usage(of: project) == (try await PlainUsage.of(project, tables)), "\(project)")
        }
        #expect(try await tables.usage(of: "tenant1").storedBytes == 5)
    }

    private func expectImages(_ tables: RegistryTables) async throws {
        let full = try await tables.show(.numbered(1))
        #expect(full.name == "Ubuntu '22.04' \"é\"")
        #expect(full.status == .active && full.visibility == .shared && full.protected && !full.hidden)
        #expect(full.owner == "tenant1" && full.minDisk == 10 && full.minRAM == 512 && full.revision == 7)
        #expect(full.size == 5 && full.virtualSize == nil && full.checksum == "c-1" && full.hashValue == "h-1")
        #expect(full.createdAt == Timestamp(microseconds: 1_700_000_000_000_001))
        let properties: [String: String?] = ["os_distro": "ubuntu", "empty": "", "none": nil]
        #expect(full.properties == properties)
        #expect(full.tags == ["z", "a", "B"])
        #expect(full.locations == [ImageLocation(url: "file:///images/1", metadata: ["store": "fast"])])
        let bare = try await tables.show(.numbered(2))
        #expect(bare.name == nil && bare.owner == nil && bare.hidden && bare.size == nil && bare.tags.isEmpty)
        #expect(try await tables.list(ImageListQuery(limit: 25)).map(\.id) == [.numbered(3), .numbered(1)])
        #expect(await refusal { try await tables.show(.numbered(4)) } == .notFound)
        #expect(await refusal { try await tables.create(Image(id: .numbered(4))) } == .duplicate)
        let members = try await tables.members(of: .numbered(1))
        #expect(members.map(\.member) == ["tenant3", "tenant4"])
        #expect(members.map(\.status) == [.accepted, .pending])
    }

    /// What was under way goes on.
    private func expectWork(_ tables: RegistryTables) async throws {
        let during = Timestamp(microseconds: 1_700_000_004_000_000)
        let finished = try await tables.finish("attempt-3", size: 3, at: during)
        #expect(finished.status == .active && finished.revision == 3)
        #expect(finished.locations.map(\.url) == ["file:///images/3"])
        let deletions = try await tables.claim(at: Timestamp(microseconds: 1_700_000_066_000_000))
        #expect(deletions.map(\.url) == ["file:///images/4"])
        #expect(deletions.map(\.attempt) == ["attempt-4"])
        try await tables.finishDeletions(deletions)
        #expect(try await tables.count("image_properties WHERE image_id = ?", [.text(ImageID.numbered(4).text)]) == 0)
        let answer = try await tables.database.write { connection in
            try AppliedWriteTable(connection).claim("0123456789abcdef", binding: "sha256:b", at: during)
        }
        #expect(answer.map { String(decoding: $0, as: UTF8.self) } == #"{"id":"1"}"#)
        // Numbers of rows go on where they were.
        try await tables.create(Image(id: .numbered(5)))
        try await tables.begin(.numbered(5), attempt: "attempt-5")
        let ids = try await tables.database.read { connection in
            try connection.query("SELECT id FROM image_locations ORDER BY id", []) { $0.integer(0) }
        }
        #expect(ids == [1, 2, 4])
    }
}
