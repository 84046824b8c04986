import Foundation
import RegistryDatabase
import Testing

/// A kind of database that the conformance suites run against. A new driver adds one here and inherits every test.
struct DatabaseUnderTest: Sendable, CustomTestStringConvertible {
    static let all: [DatabaseUnderTest] = [.sqlite]

    var testDescription: String
    /// Whether text may contain NUL, which PostgreSQL's cannot.
    var keepsNULInText: Bool
    /// Opens the empty database at a folder of its own.
    var open: @Sendable (_ folder: String, _ limits: DatabaseLimits) throws -> any Database

    static let sqlite = DatabaseUnderTest(testDescription: "SQLite", keepsNULInText: true) { folder, limits in
        try SQLiteDatabase(path: folder + "/registry.db", limits: limits)
    }

    /// Makes an empty database, closes it after, and removes it.
    func withDatabase(
        limits: DatabaseLimits = DatabaseLimits(),
        _ body: (any Database) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            let database = try open(folder, limits)
            do {
                try await body(database)
            } catch {
                await database.close()
                throw error
            }
            await database.close()
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
