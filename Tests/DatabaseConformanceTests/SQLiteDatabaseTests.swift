import Foundation
import RegistryDatabase
import Synchronization
import Testing

/// What is SQLite's alone: the file, its lock, and other processes beside it.
@Suite("SQLite database")
struct SQLiteDatabaseTests {
    private func withPath(_ body: (String) async throws -> Void) async throws {
        try await withFolder { try await body($0 + "/registry.db") }
    }

    @Test("the files can be read by their owner only")
    func mode() async throws {
        try await withPath { path in
            let database = try SQLiteDatabase(path: path)
            try await database.write { try $0.script("CREATE TABLE t (a)") }
            for suffix in ["", "-wal", "-shm", ".lock"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: path + suffix)
                #expect(attributes[.posixPermissions] as? Int == 0o600, "\(suffix)")
            }
            await database.close()
        }
    }

    @Test("every connection is set for durability and safety")
    func settings() async throws {
        try await withPath { path in
            let database = try SQLiteDatabase(path: path, readers: 1)
            let settings = ["journal_mode", "synchronous", "foreign_keys", "trusted_schema", "mmap_size", "temp_store"]
            let body: @Sendable (any SQLConnection) throws -> [String] = { connection in
                try settings.map { try connection.first("PRAGMA \($0)") { $0.text(0) } ?? "" }
            }
            #expect(try await database.write(body) == ["wal", "2", "1", "0", "0", "2"])
            #expect(try await database.read(body) == ["wal", "2", "1", "0", "0", "2"])
            await database.close()
        }
    }

    @Test("a second service is refused with a sentence, also by another path, until the first has closed")
    func serviceLock() async throws {
        try await withPath { path in
            let first = try SQLiteDatabase(path: path)
            let link = path + ".link"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
            for path in [path, link] {
                let error = #expect(throws: DatabaseError.self) { try SQLiteDatabase(path: path) }
                #expect(error?.code == .unavailable)
                #expect(error?.message.contains("in use by another registry (process \(getpid()))") == true)
            }
            let tool = try SQLiteDatabase(path: path, exclusiveService: false)
            await tool.close()
            await first.close()
            let next = try SQLiteDatabase(path: path)
            await next.close()
        }
    }

    @Test("a database that is dropped without being closed lets the next one in")
    func dropped() async throws {
        try await withPath { path in
            do {
                let dropped = try SQLiteDatabase(path: path)
                try await dropped.write { try $0.script("CREATE TABLE t (a)") }
            }
            #expect(
                try await eventually {
                    do {
                        await (try SQLiteDatabase(path: path)).close()
                        return true
                    } catch let error as DatabaseError where error.code == .unavailable {
                        return false
                    }
                }
            )
        }
    }

    @Test("writes wait while another process holds the lock, and then succeed")
    func busy() async throws {
        try await withPath { path in
            let service = try SQLiteDatabase(path: path)
            try await service.write { try $0.script("CREATE TABLE t (a)") }
            let tool = try SQLiteDatabase(path: path, exclusiveService: false)
            let gate = Gate()
            async let held: Void = tool.write { connection in
                try connection.execute("INSERT INTO t VALUES (1)", [])
                gate.pass()
            }
            await gate.isReached()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<10 {
                    group.addTask { try await service.write { _ = try $0.execute("INSERT INTO t VALUES (2)", []) } }
                }
                // Longer than SQLite's own waiting, so that ours is tried too.
                group.addTask {
                    try await Task.sleep(for: .milliseconds(1_300))
                    gate.open()
                }
                try await group.waitForAll()
            }
            try await held
            #expect(try await service.read { try $0.first("SELECT count(*) FROM t") { $0.integer(0) } } == 11)
            await tool.close()
            await service.close()
        }
    }

    @Test("a write gives up when another process holds the lock for longer than it may wait")
    func busyForEver() async throws {
        try await withPath { path in
            let service = try SQLiteDatabase(path: path, limits: DatabaseLimits(patience: .milliseconds(300)))
            let tool = try SQLiteDatabase(path: path, exclusiveService: false)
            let gate = Gate()
            async let held: Void = tool.write { _ in gate.pass() }
            await gate.isReached()
            let error = await #expect(throws: DatabaseError.self) { try await service.write { _ in } }
            #expect(error?.code == .timedOut)
            gate.open()
            try await held
            await service.close()
            await tool.close()
        }
    }

    @Test("closing a service empties the log into the database")
    func checkpoint() async throws {
        try await withPath { path in
            let database = try SQLiteDatabase(path: path)
            try await database.write { try $0.script("CREATE TABLE t (a); INSERT INTO t VALUES (1)") }
            #expect(FileManager.default.fileExists(atPath: path + "-wal"))
            await database.close()
            #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
        }
    }

    @Test("a path that cannot be opened, and a file that is no database, are explained")
    func unusable() async throws {
        try await withPath { path in
            let missing = #expect(throws: DatabaseError.self) { try SQLiteDatabase(path: path + "/no/such.db") }
            #expect(missing?.code == .unavailable)
            #expect(missing?.message.contains("cannot be created") == true)
            try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: path))
            let garbage = #expect(throws: DatabaseError.self) { try SQLiteDatabase(path: path) }
            #expect(garbage?.code == .corrupt)
            // The refusal has let go of the lock.
            try FileManager.default.removeItem(atPath: path)
            await (try SQLiteDatabase(path: path)).close()
        }
    }

    /// Lets ten writes of one row gather behind a held one, so that they share a transaction.
    ///
    /// - Returns: how those that failed did.
    private func tenRows(
        _ database: SQLiteDatabase,
        fourth: @escaping @Sendable (any SQLConnection) throws -> Void
    ) async throws -> [Int: DatabaseError.Code] {
        let gate = Gate()
        async let held: Void = database.write { _ in gate.pass() }
        await gate.isReached()
        let failures = try await withThrowingTaskGroup(of: (Int, DatabaseError.Code?).self) { group in
            for number in 0..<10 {
                group.addTask {
                    do {
                        try await database.write { connection in
                            try connection.execute("INSERT INTO t VALUES (?)", [SQLValue(number)])
                            if number == 4 { try fourth(connection) }
                        }
                        return (number, nil)
                    } catch let error as DatabaseError {
                        return (number, error.code)
                    }
                }
            }
            group.addTask {
                try await Task.sleep(for: .milliseconds(100))
                gate.open()
                return (-1, nil)
            }
            return try await group.reduce(into: [Int: DatabaseError.Code]()) { $0[$1.0] = $1.1 }
        }
        try await held
        return failures
    }

    @Test("a full database fails the write that did not fit, and serves the others")
    func full() async throws {
        try await withPath { path in
            let database = try SQLiteDatabase(path: path)
            try await database.write { connection in
                try connection.script("CREATE TABLE t (a)")
                try connection.execute("PRAGMA max_page_count = 50", [])
            }
            let failures = try await tenRows(database) { connection in
                try connection.execute("INSERT INTO t VALUES (?)", [.blob(Array(repeating: 1, count: 1_000_000))])
            }
            #expect(failures == [4: .full])
            let rows = try await database.read { try $0.query("SELECT a FROM t ORDER BY a", []) { $0.integer(0) } }
            #expect(rows == [0, 1, 2, 3, 5, 6, 7, 8, 9])
            await database.close()
        }
    }

    @Test(
        "a body that ends its transaction itself fails, and its neighbours are applied once",
        arguments: ["COMMIT", "ROLLBACK", "RELEASE job", "COMMIT; BEGIN", "ROLLBACK; BEGIN"]
    )
    func strayControl(_ sql: String) async throws {
        try await withPath { path in
            let database = try SQLiteDatabase(path: path)
            try await database.write { try $0.script("CREATE TABLE t (a)") }
            let failures = try await tenRows(database) { try $0.script(sql) }
            #expect(failures == [4: .other])
            let rows = try await database.read { try $0.query("SELECT a FROM t ORDER BY a", []) { $0.integer(0) } }
            #expect(rows == [0, 1, 2, 3, 5, 6, 7, 8, 9])
            await database.close()
        }
    }

    @Test("slow statements are reported without their values")
    func slowQueries() async throws {
        try await withPath { path in
            let reported = Mutex<[String]>([])
            let database = try SQLiteDatabase(path: path, limits: DatabaseLimits(slowQuery: .zero)) { sql, duration in
                #expect(duration > .zero)
                reported.withLock { $0.append(sql) }
            }
            _ = try await database.read { try $0.query("SELECT ?", ["secret"]) { $0.text(0) } }
            await database.close()
            #expect(reported.withLock { $0.contains("SELECT ?") && !$0.joined().contains("secret") })
        }
    }
}
