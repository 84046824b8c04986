import ImageModel
import RegistryDatabase
import Testing

/// Numbered, forward-only, safe to repeat and to run twice at once.
@Suite("Migration runner")
struct MigrationRunnerTests {
    private static let pots = Migration(number: 1, name: "pots", phase: .expand) { dialect in
        "CREATE TABLE pots (id \(dialect.autoIncrementPrimaryKey), shape TEXT)"
    }
    private static let colours = Migration(number: 2, name: "colours", phase: .expand) { _ in
        "ALTER TABLE pots ADD COLUMN colour TEXT; INSERT INTO pots (shape, colour) VALUES ('round', 'blue')"
    }
    private static let noShapes = Migration(number: 3, name: "no shapes", phase: .contract) { _ in
        "ALTER TABLE pots DROP COLUMN shape"
    }
    private static let all = [pots, colours, noShapes]

    private let runner = MigrationRunner(all) { Timestamp(seconds: 1_700_000_000) }

    @Test("an empty database has nothing applied, and asking does not change it", arguments: DatabaseUnderTest.all)
    func empty(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            let status = try await runner.status(database)
            #expect(status.version == 0)
            #expect(status.applied.isEmpty && status.unknown.isEmpty)
            #expect(status.pending.map(\.number) == [1, 2, 3])
            let exists = try await database.read { connection in
                try connection.first(connection.dialect.tableExists, ["schema_migrations"]) { _ in true }
            }
            #expect(exists == nil)
        }
    }

    @Test("sync applies everything once, in order, and records it", arguments: DatabaseUnderTest.all)
    func sync(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            let first = try await runner.sync(database)
            #expect(first.map(\.number) == [1, 2, 3])
            #expect(try await runner.sync(database).isEmpty)
            let status = try await runner.status(database)
            #expect(status.pending.isEmpty)
            #expect(status.version == 3)
            let time = Timestamp(seconds: 1_700_000_000)
            #expect(
                status.applied == [
                    AppliedMigration(number: 1, name: "pots", phase: .expand, appliedAt: time),
                    AppliedMigration(number: 2, name: "colours", phase: .expand, appliedAt: time),
                    AppliedMigration(number: 3, name: "no shapes", phase: .contract, appliedAt: time),
                ]
            )
            let colours = try await database.read { try $0.query("SELECT colour FROM pots", []) { $0.text(0) } }
            #expect(colours == ["blue"])
        }
    }

    @Test("expanding stops before what the release before cannot bear", arguments: DatabaseUnderTest.all)
    func expand(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            let expanded = try await runner.sync(database, through: .expand)
            #expect(expanded.map(\.number) == [1, 2])
            #expect(try await runner.sync(database, through: .expand).isEmpty)
            #expect(try await runner.sync(database).map(\.number) == [3])
        }
    }

    @Test("a migration that fails leaves those before it and nothing of its own", arguments: DatabaseUnderTest.all)
    func failure(_ subject: DatabaseUnderTest) async throws {
        let broken = Migration(number: 2, name: "colours", phase: .expand) { _ in
            "CREATE TABLE half (a TEXT); INSERT INTO missing VALUES (1)"
        }
        try await subject.withDatabase { database in
            await #expect(throws: DatabaseError.self) { try await MigrationRunner([Self.pots, broken]).sync(database) }
            #expect(try await runner.status(database).version == 1)
            let half = try await database.read { connection in
                try connection.first(connection.dialect.tableExists, ["half"]) { _ in true }
            }
            #expect(half == nil)
            #expect(try await runner.sync(database).map(\.number) == [2, 3])
        }
    }

    @Test("two that run at once apply each migration once", arguments: DatabaseUnderTest.all)
    func concurrent(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            let runner = runner
            let applied = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<8 { group.addTask { try await runner.sync(database).map(\.number) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied.sorted() == [1, 2, 3])
        }
    }

    @Test("several programs that run at once apply each migration once", arguments: DatabaseUnderTest.all)
    func concurrentPrograms(_ subject: DatabaseUnderTest) async throws {
        try await subject.withPlace { folder in
            let runner = runner
            // Each opens the database for itself, as a process would; the first to come makes it.
            let applied = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let database = try await subject.openBeside(folder)
                        let applied = try await runner.sync(database).map(\.number)
                        await database.close()
                        return applied
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied.sorted() == [1, 2, 3])
        }
    }

    @Test("whatever the language of the database, texts are compared by bytes", arguments: DatabaseUnderTest.all)
    func byteOrder(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            if let localized = tables.database.dialect.localizedTexts {
                let left = try await tables.database.read {
                    try $0.query(localized, []) { "\($0.text(0)).\($0.text(1))" }
                }
                #expect(left == [])
            }
            let names = ["b", "B", "a", "_", "é", "z", "Z"]
            for (number, name) in names.enumerated() {
                try await tables.create(Image(id: .numbered(number), name: name))
            }
            let sorted = try await tables.database.read {
                try $0.query("SELECT name FROM images ORDER BY name", []) { $0.text(0) }
            }
            #expect(sorted == ["B", "Z", "_", "a", "b", "z", "é"])
        }
    }

    @Test("a database newer than the program is refused with a sentence", arguments: DatabaseUnderTest.all)
    func newer(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await runner.sync(database)
            let older = MigrationRunner([Self.pots])
            #expect(try await older.status(database).unknown.map(\.number) == [2, 3])
            let error = await #expect(throws: MigrationError.self) { try await older.sync(database) }
            #expect(error?.message.contains("newer than this program") == true)
            #expect(error?.message.contains("2 (colours), 3 (no shapes)") == true)
        }
    }

    @Test("a service starts on its own schema, and on a later one merely expanded", arguments: DatabaseUnderTest.all)
    func suitable(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            let older = MigrationRunner([Self.pots])
            let missing = await #expect(throws: MigrationError.self) { try await older.requireSuitable(database) }
            #expect(missing?.message.contains("lacks migration 1 (pots)") == true)
            try await older.sync(database)
            try await older.requireSuitable(database)
            try await runner.sync(database, through: .expand)
            try await older.requireSuitable(database)
            await #expect(throws: MigrationError.self) { try await runner.requireSuitable(database) }
            try await runner.sync(database)
            try await runner.requireSuitable(database)
            await #expect(throws: MigrationError.self) { try await older.requireSuitable(database) }
        }
    }

    @Test("a database with another history is refused", arguments: DatabaseUnderTest.all)
    func otherHistory(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await MigrationRunner([Self.pots, Self.noShapes]).sync(database)
            // Its own number 2 comes too late now.
            let gap = await #expect(throws: MigrationError.self) { try await runner.sync(database) }
            #expect(gap?.message.contains("comes before") == true)
            let other = MigrationRunner([Migration(number: 1, name: "pans", phase: .expand) { _ in "" }])
            let name = await #expect(throws: MigrationError.self) { try await other.status(database) }
            #expect(name?.message.contains("\"pots\"") == true)
        }
    }
}
