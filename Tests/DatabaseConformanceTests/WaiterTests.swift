import Foundation
import RegistryDatabase
import Synchronization
import Testing

/// What every driver promises to those who wait for a while only (``Waiter``): what they no longer wait for is not done.
@Suite("Waiters for transactions")
struct WaiterTests {
    private func makeNotes(_ database: any Database) async throws {
        try await database.write { try $0.script("CREATE TABLE notes (id BIGINT NOT NULL PRIMARY KEY)") }
    }

    private func notes(_ database: any Database) async throws -> [Int64] {
        try await database.read { try $0.query("SELECT id FROM notes ORDER BY id", []) { $0.integer(0) } }
    }

    /// Says that somebody has left.
    private final class Departure: Sendable {
        private let left = Atomic(false)
        var hasLeft: Bool { left.load(ordering: .acquiring) }
        func leave() { left.store(true, ordering: .releasing) }
    }

    private func code(_ body: () async throws -> Void) async throws -> DatabaseError.Code? {
        do {
            try await body()
            return nil
        } catch let error as DatabaseError {
            return error.code
        }
    }

    // MARK: Before the commit

    @Test("a write in whose middle the time is up is not committed", arguments: DatabaseUnderTest.all)
    func lateCommit(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await makeNotes(database)
            let runs = Mutex(0)
            // Time enough to begin, on a busy machine, and none to end.
            let refusal = try await code {
                try await database.write(for: Waiter(patience: .seconds(2))) { connection in
                    runs.withLock { $0 += 1 }
                    try connection.execute("INSERT INTO notes VALUES (1)", [])
                    Thread.sleep(forTimeInterval: 2.1)
                }
            }
            #expect(refusal == .timedOut)
            #expect(runs.withLock { $0 } <= 1)
            #expect(try await notes(database) == [])
            try await database.write(for: Waiter(patience: .seconds(60))) { connection in
                _ = try connection.execute("INSERT INTO notes VALUES (2)", [])
            }
            #expect(try await notes(database) == [2])
        }
    }

    @Test("a write whose waiter leaves before the end is not committed", arguments: DatabaseUnderTest.all)
    func departed(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await makeNotes(database)
            let departure = Departure()
            let refusal = try await code {
                try await database.write(for: Waiter(patience: .seconds(60)) { departure.hasLeft }) { connection in
                    try connection.execute("INSERT INTO notes VALUES (1)", [])
                    departure.leave()
                }
            }
            #expect(refusal == .timedOut)
            #expect(try await notes(database) == [])
        }
    }

    @Test("nothing is begun for one who has left, or whose time is up", arguments: DatabaseUnderTest.all)
    func notBegun(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            let gone: [@Sendable () -> Waiter] = [
                { Waiter(patience: .seconds(60)) { true } }, { Waiter(patience: .zero) },
                { Waiter(patience: .seconds(-5)) },
            ]
            for waiter in gone {
                let hasRun = Mutex(false)
                let written = try await code {
                    try await database.write(for: waiter()) { _ in hasRun.withLock { $0 = true } }
                }
                let read = try await code {
                    try await database.read(for: waiter()) { connection in
                        hasRun.withLock { $0 = true }
                        _ = try connection.query("SELECT 1", []) { $0.integer(0) }
                    }
                }
                #expect(written == .timedOut)
                #expect(read == .timedOut)
                #expect(!hasRun.withLock { $0 })
            }
        }
    }

    @Test("of writes that are committed together only the late one is refused", arguments: DatabaseUnderTest.all)
    func lateAmongOthers(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase(oneWriter: true) { database in
            try await makeNotes(database)
            let gate = Gate()
            let departure = Departure()
            async let holding: Void = database.write { _ in gate.pass() }
            await gate.isReached()
            let refusals = try await withThrowingTaskGroup(of: (Int, DatabaseError.Code?).self) { group in
                for number in 0..<10 {
                    let waiter = Waiter(patience: .seconds(60)) { number == 4 && departure.hasLeft }
                    group.addTask {
                        let refusal = try await code {
                            try await database.write(for: waiter) { connection in
                                try connection.execute("INSERT INTO notes VALUES (?)", [SQLValue(number)])
                                // Where they share a commit it is found out with all of them.
                                if number == 4 { departure.leave() }
                            }
                        }
                        return (number, refusal)
                    }
                }
                group.addTask {
                    try await Task.sleep(for: .milliseconds(100))
                    gate.open()
                    return (-1, nil)
                }
                return try await group.reduce(into: [Int: DatabaseError.Code]()) { $0[$1.0] = $1.1 }
            }
            try await holding
            #expect(refusals == [4: .timedOut])
            #expect(try await notes(database) == [0, 1, 2, 3, 5, 6, 7, 8, 9])
        }
    }

    // MARK: In line

    @Test("one who waits for less is refused before one who came first", arguments: DatabaseUnderTest.all)
    func lessPatience(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase(oneWriter: true) { database in
            try await makeNotes(database)
            let gate = Gate()
            async let holding: Void = database.write { _ in gate.pass() }
            await gate.isReached()
            async let patient: Void = database.write { connection in
                _ = try connection.execute("INSERT INTO notes VALUES (1)", [])
            }
            let refusal = try await code {
                try await database.write(for: Waiter(patience: .milliseconds(200))) { connection in
                    _ = try connection.execute("INSERT INTO notes VALUES (2)", [])
                }
            }
            // The writer is still held: this was refused in line.
            #expect(refusal == .timedOut)
            gate.open()
            try await holding
            try await patient
            #expect(try await notes(database) == [1])
        }
    }

    // MARK: Locks of others

    @Test("a write that waits for another process's lock ends with its waiter", arguments: DatabaseUnderTest.all)
    func foreignLock(_ subject: DatabaseUnderTest) async throws {
        try await subject.withPlace { folder in
            let database = try await subject.open(folder, DatabaseLimits(patience: .seconds(120)), false)
            let other = try await subject.openBeside(folder)
            try await makeNotes(database)
            let gate = Gate()
            async let held: Void = other.write { connection in
                if connection.dialect == .postgresql {
                    try connection.execute("LOCK TABLE notes IN ACCESS EXCLUSIVE MODE", [])
                } else {
                    try connection.execute("DELETE FROM notes", [])
                }
                gate.pass()
            }
            await gate.isReached()
            let start = ContinuousClock.now
            let refusal = try await code {
                try await database.write(for: Waiter(patience: .seconds(1))) { connection in
                    _ = try connection.execute("INSERT INTO notes VALUES (1)", [])
                }
            }
            #expect(refusal == .busy || refusal == .timedOut)
            // Half of what it may wait otherwise.
            #expect(ContinuousClock.now - start < .seconds(60))
            gate.open()
            try await held
            #expect(try await notes(database) == [])
            await other.close()
            await database.close()
        }
    }

    @Test(
        "a read that allows itself more than it is waited for is late, not too long",
        arguments: DatabaseUnderTest.all
    )
    func endlessRead(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            let endless =
                "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i % 7 + 1 FROM n) SELECT count(*) FROM n"
            for (patience, limit, expected) in [
                (300, 60_000, DatabaseError.Code.timedOut), (60_000, 300, .overLimit),
            ] {
                let refusal = try await code {
                    try await database.read(for: Waiter(patience: .milliseconds(patience))) { connection in
                        try connection.limit(to: .milliseconds(limit))
                        _ = try connection.query(endless, []) { $0.integer(0) }
                    }
                }
                #expect(refusal == expected)
            }
        }
    }

    @Test(
        "a read that waits for somebody's lock is told as locked, not as one that takes long",
        .enabled(if: PostgreSQLServer.shared != nil, "GLANCE_TEST_POSTGRESQL is not set"),
        arguments: [500, 1_000, 60_000]
    )
    func lockedRead(_ limit: Int) async throws {
        try await DatabaseUnderTest.postgresql.withDatabase { database in
            try await makeNotes(database)
            let gate = Gate()
            async let held: Void = database.write { connection in
                try connection.execute("LOCK TABLE notes IN ACCESS EXCLUSIVE MODE", [])
                gate.pass()
            }
            await gate.isReached()
            let refusal = try await code {
                try await database.read(for: Waiter(patience: .seconds(5))) { connection in
                    try connection.limit(to: .milliseconds(limit))
                    _ = try connection.query("SELECT id FROM notes", []) { $0.integer(0) }
                }
            }
            #expect(refusal == .busy)
            gate.open()
            try await held
            #expect(try await notes(database) == [])
        }
    }

    // MARK: PostgreSQL's own limits

    @Test(
        "the server is told a transaction's limits only where its session's are too long",
        .enabled(if: PostgreSQLServer.shared != nil, "GLANCE_TEST_POSTGRESQL is not set")
    )
    func serverLimits() async throws {
        try await DatabaseUnderTest.postgresql.withDatabase { database in
            let body: @Sendable (any SQLConnection) throws -> [Int64]? = { connection in
                try connection.first(
                    """
                    SELECT (SELECT setting FROM pg_settings WHERE name = 'statement_timeout')::bigint,
                        (SELECT setting FROM pg_settings WHERE name = 'lock_timeout')::bigint
                    """
                ) { [$0.integer(0), $0.integer(1)] }
            }
            // For somebody who waits for longer than the session's limits, however busy the machine.
            #expect(try await database.write(for: Waiter(patience: .seconds(29)), body) == [8_000, 3_000])
            #expect(try await database.read(for: Waiter(patience: .seconds(29)), body) == [3_500, 1_500])
            for isWrite in [true, false] {
                // On a busy machine the time may be up before it begins.
                let isTold = try await eventually {
                    let waiter = Waiter(patience: .milliseconds(1_200))
                    do {
                        let limits =
                            try await isWrite ? database.write(for: waiter, body) : database.read(for: waiter, body)
                        guard let limits else { return false }
                        #expect((1...1_200).contains(limits[0]))
                        #expect((1...1_080).contains(limits[1]))
                        return true
                    } catch let error as DatabaseError where error.code == .timedOut {
                        return false
                    }
                }
                #expect(isTold)
            }
            // Without a waiter as long as the pool's patience.
            #expect(try await database.write(body) == [30_000, 10_000])
            let read = try #require(try await database.read(body))
            #expect((20_000...30_000).contains(read[0]))
        }
    }
}
