import Foundation
import RegistryDatabase
import Testing

/// A kind of database that the conformance suites run against. A new driver adds one here and inherits every test.
///
/// PostgreSQL takes part where `GLANCE_TEST_POSTGRESQL` holds the URL of a database in which schemas may be made;
/// `scripts/test` starts one. Each test has a schema of its own.
struct DatabaseUnderTest: Sendable, CustomTestStringConvertible {
    static let all: [DatabaseUnderTest] = [.sqlite] + (PostgreSQLServer.shared == nil ? [] : [.postgresql])

    var testDescription: String
    /// Whether text may contain NUL, which PostgreSQL's cannot.
    var keepsNULInText: Bool
    /// Opens the database that belongs to a folder, which is empty at first. With `oneWriter`, a write that runs keeps
    /// every other one waiting.
    var open: @Sendable (_ folder: String, _ limits: DatabaseLimits, _ oneWriter: Bool) async throws -> any Database
    /// Removes what is not in the folder.
    var remove: @Sendable (_ folder: String) async throws -> Void = { _ in }

    static let sqlite = DatabaseUnderTest(testDescription: "SQLite", keepsNULInText: true) { folder, limits, _ in
        try SQLiteDatabase(path: folder + "/registry.db", limits: limits)
    }

    static let postgresql = DatabaseUnderTest(
        testDescription: "PostgreSQL",
        keepsNULInText: false,
        open: { folder, limits, oneWriter in
            let server = try #require(PostgreSQLServer.shared)
            let schema = PostgreSQLServer.schema(of: folder)
            try await server.execute("CREATE SCHEMA IF NOT EXISTS \(schema)")
            var settings = PostgreSQLSettings(try server.address(of: schema))
            settings.connections = oneWriter ? 3 : 6
            settings.overflow = oneWriter ? 0 : 4
            settings.limits = limits
            // A busy machine collides more often; the patience bounds it.
            settings.retries = nil
            // Tests hold writes where they want them.
            settings.pauseLimit = .seconds(60)
            return try PostgreSQLDatabase(settings)
        },
        remove: { folder in
            let server = try #require(PostgreSQLServer.shared)
            try await server.execute("DROP SCHEMA IF EXISTS \(PostgreSQLServer.schema(of: folder)) CASCADE")
        }
    )

    /// Opens the database of a folder as a tool does, beside whoever else has it open.
    func openBeside(_ folder: String) async throws -> any Database {
        guard testDescription == "SQLite" else { return try await open(folder, DatabaseLimits(), false) }
        return try SQLiteDatabase(path: folder + "/registry.db", exclusiveService: false)
    }

    /// Makes an empty database, closes it after, and removes it.
    func withDatabase(
        limits: DatabaseLimits = DatabaseLimits(),
        oneWriter: Bool = false,
        _ body: (any Database) async throws -> Void
    ) async throws {
        try await withPlace { folder in
            let database = try await open(folder, limits, oneWriter)
            do {
                try await body(database)
            } catch {
                await database.close()
                throw error
            }
            await database.close()
        }
    }

    /// Names the place of one database, which `body` opens as often as it likes; removes it after.
    func withPlace(_ body: (_ folder: String) async throws -> Void) async throws {
        try await withFolder { folder in
            await PostgreSQLServer.turns.take()
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(folder))
            } catch {
                result = .failure(error)
            }
            await PostgreSQLServer.turns.giveBack()
            try await remove(folder)
            try result.get()
        }
    }
}

/// Makes an empty folder and removes it after.
func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("database-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer {
        // What cannot be removed is litter in the temporary folder, not a failure.
        try? FileManager.default.removeItem(at: folder)
    }
    try await body(folder.path)
}
