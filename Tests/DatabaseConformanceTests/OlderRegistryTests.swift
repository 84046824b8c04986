import ImageModel
import RegistryContract
import RegistryDatabase
import Synchronization
import Testing

/// A registry of the first release goes on beside today's while the database is expanded, and after.
@Suite("An older registry")
struct OlderRegistryTests {
    private static let alone = Migration.all.filter { $0.number == 1 }
    /// The operations that lead to each end of an image's life.
    private static let created = ["create", "remember", "update", "share", "answer", "unshare"]
    private static let active = created + ["begin", "renew", "abort", "begin", "finish"]
    private static let deleted = active + ["delete", "restore", "delete", "postpone", "forget"]

    @Test("writes what today's reads, in full", arguments: DatabaseUnderTest.all)
    func beside(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            let older = try ReleasedStatements("0001")
            try await MigrationRunner(Self.alone).sync(database)
            try await MigrationRunner(Migration.all).sync(database, through: .expand)
            let tables = RegistryTables(database: database)
            try await older.run(Self.created + ["begin"], on: .numbered(1), database)
            try await older.run(Self.active, on: .numbered(2), database)
            try await older.run(Self.deleted, on: .numbered(3), database)
            try await expectFound(tables, [.numbered(1), .numbered(2)])
            #expect(await refusal { try await tables.show(.numbered(3)) } == .notFound)
            #expect(await refusal { try await tables.create(Image(id: .numbered(3))) } == .duplicate)
            // Each goes on with what the other began, and counts what it does.
            let finished = try await tables.finish("attempt \(ImageID.numbered(1))", at: .start)
            #expect(finished.status == .active && finished.size == 5)
            try await older.run(["delete", "forget"], on: .numbered(1), database)
            try await tables.finishDeletions(try await tables.delete(.numbered(2)))
            #expect(try await tables.usage(of: "older") == ProjectUsage())
            #expect(try await PlainUsage.of("older", tables) == ProjectUsage())
            try await tables.create(Image(id: .numbered(4), visibility: .shared, owner: "older"))
            try await older.run(["share", "answer", "unshare", "begin"], on: .numbered(4), database)
            #expect(try await tables.abort("attempt \(ImageID.numbered(4))") == false)
            #expect(try await tables.show(.numbered(4)).status == .queued)
            #expect(try await tables.usage(of: "older") == (try await PlainUsage.of("older", tables)))
        }
    }

    /// By every way that lists have to them: the columns that the older one does not know are filled in.
    private func expectFound(_ tables: RegistryTables, _ ids: Set<ImageID>) async throws {
        let image = try await tables.show(.numbered(2))
        #expect(image.name == "changed before" && image.diskFormat == "qcow2" && image.tags == ["second"])
        #expect(
            image.properties == ["os_distro": "ubuntu"] && image.locations.map(\.url) == ["file:///data/\(image.id)"]
        )
        #expect(try await tables.members(of: .numbered(2)).map(\.status) == [.accepted])
        let owner = Caller(user: "u", project: "older")
        let guest = Caller(user: "u", project: "guest")
        for caller in [owner, guest] {
            let sort = [ImageSort(.name, .ascending), ImageSort(.createdAt, .descending), ImageSort(.id, .descending)]
            let queries = [
                ImageListQuery(limit: 25), ImageListQuery(limit: 25, sort: sort),
                ImageListQuery(limit: 25, filters: [.tag("second")]),
                ImageListQuery(limit: 25, filters: [.property(name: "os_distro", value: "ubuntu")]),
            ]
            for query in queries {
                #expect(Set(try await tables.list(query, as: caller).map(\.id)) == ids, "\(query) by \(caller)")
            }
        }
        #expect(try await tables.usage(of: "older") == (try await PlainUsage.of("older", tables)))
    }

    /// How far the older ones are.
    private final class Progress: Sendable {
        /// Of images, written to their end.
        let lives = Atomic(0)
        let isExpanded = Atomic(false)
    }

    @Test("loses nothing that it writes while the database is expanded", arguments: DatabaseUnderTest.all)
    func meanwhile(_ subject: DatabaseUnderTest) async throws {
        try await subject.withPlace { folder in
            let older = try await subject.open(folder, DatabaseLimits(), false)
            let newer = try await subject.openBeside(folder)
            let statements = try ReleasedStatements("0001")
            try await MigrationRunner(Self.alone).sync(older)
            let progress = Progress()
            let outcome: Result<Int, any Error>
            do {
                let count = try await withThrowingTaskGroup(of: Int.self) { group in
                    for writer in 1...4 {
                        group.addTask {
                            var lives = 0
                            var afterwards = 0
                            while afterwards < 3 {
                                if progress.isExpanded.load(ordering: .relaxed) { afterwards += 1 }
                                let id = ImageID.numbered(writer * 10_000 + lives)
                                let ends = [Self.created, Self.active, Self.deleted]
                                try await statements.run(ends[lives % 3], on: id, of: "older \(writer)", older)
                                lives += 1
                                progress.lives.wrappingAdd(1, ordering: .relaxed)
                            }
                            return lives
                        }
                    }
                    while progress.lives.load(ordering: .relaxed) < 4 { try await Task.sleep(for: .milliseconds(5)) }
                    // In between two migrations, too, there is something to be written.
                    for number in Migration.all.map(\.number) {
                        try await MigrationRunner(Migration.all.filter { $0.number <= number })
                            .sync(newer, through: .expand)
                        let before = progress.lives.load(ordering: .relaxed)
                        while progress.lives.load(ordering: .relaxed) < before + 2 {
                            try await Task.sleep(for: .milliseconds(5))
                        }
                    }
                    progress.isExpanded.store(true, ordering: .relaxed)
                    return try await group.reduce(0, +)
                }
                let tables = RegistryTables(database: newer)
                #expect(try await tables.count("images") == count)
                for table in ["image_properties", "image_tags", "image_members"] {
                    #expect(try await tables.count("\(table) WHERE image_created_at IS NULL") == 0, "\(table)")
                }
                #expect(try await tables.count(TagAudienceTests.stale) == 0)
                for writer in 1...4 {
                    let counted = try await tables.usage(of: "older \(writer)")
                    #expect(counted == (try await PlainUsage.of("older \(writer)", tables)))
                    #expect(counted.storedBytes > 0)
                }
                outcome = .success(count)
            } catch {
                outcome = .failure(error)
            }
            await older.close()
            await newer.close()
            _ = try outcome.get()
        }
    }
}
