import Foundation
import Synchronization
import Testing

@testable import RegistryDatabase

/// What is PostgreSQL's alone: connections that die, statements that are forgotten, collisions, and the pool.
@Suite("PostgreSQL database", .enabled(if: PostgreSQLServer.shared != nil, "GLANCE_TEST_POSTGRESQL is not set"))
struct PostgreSQLDatabaseTests {
    /// A database whose sessions bear a name of their own, so that a test can find and end them.
    ///
    /// - Parameter pauseLimit: `nil` for the one of every registry, which a machine that stands still may exceed.
    private func withSessions(
        limits: DatabaseLimits = DatabaseLimits(patience: .seconds(120)),
        pauseLimit: Duration? = .seconds(120),
        setting change: (inout PostgreSQLSettings) -> Void = { _ in },
        _ body: (_ database: PostgreSQLDatabase, _ name: String, _ server: PostgreSQLServer) async throws -> Void
    ) async throws {
        let server = try #require(PostgreSQLServer.shared)
        try await DatabaseUnderTest.postgresql.withPlace { folder in
            let schema = PostgreSQLServer.schema(of: folder)
            try await server.execute("CREATE SCHEMA \(schema)")
            var settings = PostgreSQLSettings(try server.address(of: schema, adding: "application_name=\(schema)"))
            settings.connections = 2
            settings.overflow = 0
            settings.limits = limits
            // A busy machine collides more often; the patience bounds it.
            settings.retries = nil
            if let pauseLimit { settings.pauseLimit = pauseLimit }
            change(&settings)
            let database = try PostgreSQLDatabase(settings)
            let result: Result<Void, any Error>
            do {
                try await database.write { try $0.script("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT)") }
                result = .success(try await body(database, schema, server))
            } catch {
                result = .failure(error)
            }
            await database.close()
            try result.get()
        }
    }

    private func sessions(_ name: String, _ server: PostgreSQLServer) async throws -> Int64 {
        try await server.management.read { connection in
            let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = ?"
            return try connection.first(sql, [.text(name)]) { $0.integer(0) } ?? -1
        }
    }

    /// Ends the sessions of that name, as a restart of the server or a fail-over does.
    private func end(_ name: String, _ server: PostgreSQLServer) async throws {
        try await server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '\(name)'"
        )
    }

    private func count(_ database: PostgreSQLDatabase) async throws -> Int64? {
        try await database.read { try $0.first("SELECT count(*) FROM notes") { $0.integer(0) } }
    }

    @Test("a read sees what was committed before it, also behind one that asked nothing")
    func emptyReads() async throws {
        try await withSessions { database, _, _ in
            let gate = Gate()
            async let first = database.read { connection in
                let count = try connection.first("SELECT count(*) FROM notes") { $0.integer(0) }
                gate.pass()
                return count
            }
            await gate.isReached()
            // Both wait for the one connection that reads, so that they follow each other without a pause.
            async let nothing: Void = database.read { _ in }
            try await Task.sleep(for: .milliseconds(50))
            async let third = count(database)
            try await Task.sleep(for: .milliseconds(50))
            try await database.write { _ = try $0.execute("INSERT INTO notes VALUES (1, 'a')", []) }
            gate.open()
            #expect(try await first == 0)
            try await nothing
            #expect(try await third == 1)
            #expect(try await count(database) == 1)
        }
    }

    // MARK: Connections

    @Test("every session is set for durability and bounded waiting, whatever the server's own settings are")
    func settings() async throws {
        let names = [
            "synchronous_commit", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "jit",
            "client_encoding", "standard_conforming_strings",
        ]
        let sql = "SELECT \(names.map { "current_setting('\($0)')" }.joined(separator: ", "))"
        let expected = { (pause: String) in ["on", "1min", "10s", pause, "off", "UTF8", "on"] }
        try await withSessions(limits: DatabaseLimits(patience: .seconds(60)), pauseLimit: nil) { database, _, _ in
            let body: @Sendable (any SQLConnection) throws -> [String]? = { connection in
                try connection.first(sql) { row in names.indices.map { row.text($0) } }
            }
            let inReads = try await database.read(body)
            let inWrites = try await database.write(body)
            #expect(inReads == expected("3min"))
            #expect(inWrites == expected("3s"))
            let isolation = "SELECT current_setting('transaction_isolation')"
            let ofReads = try await database.read { try $0.first(isolation) { $0.text(0) } }
            let ofWrites = try await database.write { try $0.first(isolation) { $0.text(0) } }
            #expect(ofReads == "repeatable read")
            #expect(ofWrites == "serializable")
        }
    }

    @Test("connections that were ended between transactions are replaced, and nobody notices")
    func endedBetween() async throws {
        try await withSessions { database, name, server in
            for round in Int64(0)..<3 {
                try await database.write { _ = try $0.execute("INSERT INTO notes (id) VALUES (?)", [.integer(round)]) }
                #expect(try await count(database) == round + 1)
                try await end(name, server)
            }
            #expect(try await count(database) == 3)
        }
    }

    @Test("a connection that is ended within a transaction runs it again, with its effects once")
    func endedWithin() async throws {
        try await withSessions { database, name, server in
            let runs = Mutex(0)
            let gate = Gate()
            async let written: Void = database.write { connection in
                try connection.execute("INSERT INTO notes (id) VALUES (1)", [])
                if runs.withLock({
                    $0 += 1; return $0
                }) == 1 {
                    gate.pass()
                }
                try connection.execute("INSERT INTO notes (id) VALUES (2)", [])
            }
            await gate.isReached()
            try await end(name, server)
            gate.open()
            try await written
            #expect(runs.withLock { $0 } == 2)
            #expect(try await count(database) == 2)
        }
    }

    @Test("a write that stands still is ended by the server, so that others are not kept, and runs again")
    func standsStill() async throws {
        try await withSessions(pauseLimit: .seconds(10), setting: { $0.connections = 4 }) { database, _, _ in
            try await database.write { _ = try $0.execute("INSERT INTO notes (id, body) VALUES (1, '')", []) }
            let change = "UPDATE notes SET body = body || ? WHERE id = 1"
            let runs = Mutex(0)
            let gate = Gate()
            async let first: Void = database.write { connection in
                try connection.execute(change, [.text("first")])
                if runs.withLock({
                    $0 += 1; return $0
                }) == 1 {
                    gate.pass()
                }
                _ = try connection.first("SELECT 1") { $0.integer(0) }
            }
            await gate.isReached()
            // Waits for the row until the server lets go of it.
            try await database.write { _ = try $0.execute(change, [.text("second")]) }
            gate.open()
            try await first
            // On a machine that stands still itself, once more.
            #expect(runs.withLock { $0 } >= 2)
            let text = try await database.read { try $0.first("SELECT body FROM notes") { $0.text(0) } }
            #expect(text == "secondfirst")
        }
    }

    @Test("a commit that got no answer is told as such, and never run again")
    func lostCommit() async throws {
        try await withSessions { database, _, _ in
            try await database.write { connection in
                // Fires at the commit, and ends the session in the middle of it.
                try connection.script(
                    """
                    CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS
                        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
                    CREATE CONSTRAINT TRIGGER leaves AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED
                        FOR EACH ROW EXECUTE FUNCTION leave();
                    """
                )
            }
            let runs = Mutex(0)
            let error = await #expect(throws: DatabaseError.self) {
                try await database.write { connection in
                    runs.withLock { $0 += 1 }
                    try connection.execute("INSERT INTO notes (id) VALUES (1)", [])
                }
            }
            #expect(error?.code == .outcomeUnknown)
            #expect(error?.isRetryable == true)
            #expect(runs.withLock { $0 } == 1)
            #expect(try await count(database) == 0)
        }
    }

    @Test("a server that became a standby is left for one that writes")
    func standby() async throws {
        try await withSessions { database, name, server in
            try await database.write {
                try $0.script("SELECT set_config('default_transaction_read_only', 'on', false)")
            }
            let pid = "SELECT pg_backend_pid()"
            let before = try await server.management.read { connection in
                let sql = "SELECT pid FROM pg_stat_activity WHERE application_name = ? AND query LIKE '%COMMIT%'"
                return try connection.query(sql, [.text(name)]) { $0.integer(0) }
            }
            let after = try await database.write { connection in
                try connection.execute("INSERT INTO notes (id) VALUES (1)", [])
                return try connection.first(pid) { $0.integer(0) }
            }
            #expect(!before.contains(try #require(after)))
            #expect(try await count(database) == 1)
        }
    }

    @Test("a connection is replaced when it is old")
    func lifetime() async throws {
        try await withSessions(setting: { settings in
            settings.lifetime = .milliseconds(50)
        }) { database, _, _ in
            let pid: @Sendable (any SQLConnection) throws -> Int64? = { connection in
                try connection.first("SELECT pg_backend_pid()") { $0.integer(0) }
            }
            let first = try await database.read(pid)
            try await Task.sleep(for: .milliseconds(60))
            let second = try await database.read(pid)
            #expect(first != second)
        }
    }

    // MARK: The pool

    /// What is opened stays open, and what is not needed stays away, however long a test takes.
    private static func quiet(_ settings: inout PostgreSQLSettings) {
        settings.connections = 2
        settings.overflow = 4
        settings.idleCheck = .seconds(3_600)
    }

    @Test("nothing connects before it is needed, and no more than are needed")
    func onDemand() async throws {
        try await withSessions(setting: { settings in
            Self.quiet(&settings)
            // Nobody waits for long enough to be given another connection.
            settings.crowdedAfter = .seconds(3_600)
        }) { database, name, server in
            #expect(try await sessions(name, server) == 1)
            for id in Int64(0)..<5 {
                try await database.write { _ = try $0.execute("INSERT INTO notes (id) VALUES (?)", [.integer(id)]) }
            }
            #expect(try await sessions(name, server) == 1)
            #expect(try await count(database) == 5)
            #expect(try await sessions(name, server) == 2)
        }
    }

    @Test("while jobs wait there are more connections, and never more than were allowed")
    func growth() async throws {
        try await withSessions(setting: Self.quiet) { database, name, server in
            // Each keeps its connection until all that may be there are.
            let gates = (0..<8).map { _ in Gate() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for gate in gates { group.addTask { try await database.write { _ in gate.pass() } } }
                // Writers: one that is kept, and half of the four; whose turn it is first, nobody knows.
                #expect(try await eventually { gates.count { $0.wasReached } == 3 })
                #expect(try await sessions(name, server) == 3)
                for gate in gates { gate.open() }
                try await group.waitForAll()
            }
            #expect(try await sessions(name, server) == 3)
        }
    }

    @Test("while the server is out of reach, jobs are refused in bounded time with a sentence")
    func outOfReach() async throws {
        let address = try PostgreSQLAddress(url: "postgresql://u@127.0.0.1:1/db", program: "tests")
        var settings = PostgreSQLSettings(address)
        settings.connections = 2
        settings.limits.patience = .milliseconds(300)
        let database = try PostgreSQLDatabase(settings)
        let clock = ContinuousClock()
        let start = clock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let error = await #expect(throws: DatabaseError.self) { try await database.read { _ in } }
                    #expect(error?.code == .unavailable || error?.code == .timedOut)
                    #expect(error?.isRetryable == true)
                }
            }
            try await group.waitForAll()
        }
        #expect(clock.now - start < .seconds(120))
        await database.close()
    }

    // MARK: Statements

    @Test("statements that the server has forgotten are prepared anew", arguments: ["DISCARD ALL", "DEALLOCATE ALL"])
    func discarded(_ sql: String) async throws {
        try await withSessions { database, _, _ in
            for round in Int64(0)..<3 {
                try await database.write { _ = try $0.execute("INSERT INTO notes (id) VALUES (?)", [.integer(round)]) }
                // DISCARD ALL cannot be run within a transaction, so its parts are.
                try await database.write { connection in
                    try connection.script(sql == "DISCARD ALL" ? "DISCARD PLANS; DEALLOCATE ALL" : sql)
                }
            }
            #expect(try await count(database) == 3)
        }
    }

    @Test("a statement goes on after a migration changed what it answers")
    func changedTable() async throws {
        try await withSessions { database, _, _ in
            try await database.write { try $0.script("INSERT INTO notes VALUES (1, 'one')") }
            let body: @Sendable (any SQLConnection) throws -> String? = {
                try $0.first("SELECT * FROM notes") { $0.text(1) }
            }
            #expect(try await database.read(body) == "one")
            try await database.write { try $0.script("ALTER TABLE notes ADD COLUMN more TEXT") }
            #expect(try await database.read(body) == "one")
        }
    }

    @Test("the server keeps no more prepared statements than the cache")
    func bounded() async throws {
        try await withSessions(limits: DatabaseLimits(cachedStatements: 8)) { database, _, _ in
            for number in 0..<50 {
                _ = try await database.read { try $0.query("SELECT \(number)", []) { $0.integer(0) } }
            }
            let sql = "SELECT count(*) FROM pg_prepared_statements"
            let kept = try await database.read { try $0.first(sql) { $0.integer(0) } }
            #expect(try #require(kept) <= 8)
        }
    }

    @Test("text with U+0000 is refused before the server sees it, and the transaction with it")
    func nul() async throws {
        try await withSessions { database, _, _ in
            let error = await #expect(throws: DatabaseError.self) {
                try await database.write { connection in
                    try connection.execute("INSERT INTO notes (id) VALUES (1)", [])
                    try connection.execute("INSERT INTO notes (id, body) VALUES (2, ?)", ["secret\0"])
                }
            }
            #expect(error?.code == .unstorableText)
            #expect(error?.message.contains("U+0000") == true)
            #expect(error?.message.contains("secret") == false)
            let left = try await count(database)
            #expect(left == 0)
        }
    }

    @Test("slow statements and failures are reported without their values")
    func values() async throws {
        let reported = Mutex<[String]>([])
        try await withSessions(setting: { settings in
            settings.limits.slowQuery = .zero
            settings.onSlowQuery = { sql, _ in reported.withLock { $0.append(sql) } }
        }) { database, _, _ in
            let insert = "INSERT INTO notes (id, body) VALUES (1, ?)"
            try await database.write { _ = try $0.execute(insert, ["secret"]) }
            let error = await #expect(throws: DatabaseError.self) {
                try await database.write { _ = try $0.execute(insert, ["secret"]) }
            }
            #expect(error?.code == .uniqueViolation("notes_pkey"))
            #expect(error?.description.contains("secret") == false)
            #expect(reported.withLock { $0.contains(insert) && !$0.joined().contains("secret") })
        }
    }

    // MARK: Collisions

    @Test("what two transactions decide on what the other changes, they decide one after another")
    func writeSkew() async throws {
        try await withSessions(setting: { settings in
            settings.connections = 8
        }) { database, _, _ in
            // Each adds a row where there are fewer than five; no row that it reads is written by another.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in Int64(0)..<40 {
                    group.addTask {
                        try await database.write { connection in
                            let count = try connection.first("SELECT count(*) FROM notes") { $0.integer(0) } ?? 0
                            guard count < 5 else { return }
                            try connection.execute("INSERT INTO notes (id) VALUES (?)", [.integer(id)])
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await count(database) == 5)
        }
    }

    @Test("two that lock the same rows in opposite order both succeed")
    func deadlock() async throws {
        try await withSessions(setting: { settings in
            settings.connections = 6
        }) { database, _, _ in
            try await database.write { try $0.script("INSERT INTO notes (id, body) VALUES (1, ''), (2, '')") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<12 {
                    group.addTask {
                        try await database.write { connection in
                            for id: Int64 in task % 2 == 0 ? [1, 2] : [2, 1] {
                                let sql = "UPDATE notes SET body = body || 'x' WHERE id = ?"
                                try connection.execute(sql, [.integer(id)])
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let lengths = try await database.read {
                try $0.query("SELECT length(body) FROM notes", []) { $0.integer(0) }
            }
            #expect(lengths == [12, 12])
        }
    }
}
