import RegistryDatabase
import Synchronization
import Testing

/// What every driver promises (``Database``, ``SQLConnection``).
@Suite("Database driver conformance")
struct DriverConformanceTests {
    private struct Refusal: Error, Equatable {
        var number = 0
    }

    /// A table of numbered texts.
    private func makeNotes(_ database: any Database) async throws {
        try await database.write { connection in
            try connection.script(
                """
                CREATE TABLE notes (
                    id BIGINT NOT NULL PRIMARY KEY,
                    body TEXT CONSTRAINT notes_body UNIQUE,
                    data \(connection.dialect.blobType)
                );
                CREATE TABLE remarks (
                    id BIGINT NOT NULL PRIMARY KEY,
                    note BIGINT REFERENCES notes (id),
                    late_note BIGINT REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED
                );
                """
            )
        }
    }

    private func bodies(_ database: any Database) async throws -> [String] {
        try await database.read { try $0.query("SELECT body FROM notes ORDER BY id", []) { $0.text(0) } }
    }

    // MARK: Transactions

    @Test("a transaction commits when its body returns", arguments: DatabaseUnderTest.all)
    func commit(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await makeNotes(database)
            let changed = try await database.write { connection in
                try connection.execute("INSERT INTO notes (id, body) VALUES (?, ?), (?, ?)", [1, "one", 2, "two"])
            }
            #expect(changed == 2)
            #expect(try await bodies(database) == ["one", "two"])
        }
    }

    @Test("a transaction whose body throws leaves nothing behind", arguments: DatabaseUnderTest.all)
    func rollback(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await makeNotes(database)
            await #expect(throws: Refusal(number: 7)) {
                try await database.write { connection in
                    try connection.execute("INSERT INTO notes (id, body) VALUES (1, ?)", ["one"])
                    throw Refusal(number: 7)
                }
            }
            #expect(try await bodies(database) == [])
        }
    }

    @Test("a failed statement fails its transaction even when caught", arguments: DatabaseUnderTest.all)
    func caughtFailure(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await makeNotes(database)
            let error = await #expect(throws: DatabaseError.self) {
                try await database.write { connection in
                    try connection.execute("INSERT INTO notes (id, body) VALUES (1, ?)", ["one"])
                    do {
                        try connection.execute("INSERT INTO notes (id, body) VALUES (1, ?)", ["again"])
                    } catch {
                        // Swallowed on purpose.
                    }
                }
            }
            guard case .uniqueViolation = error?.code else {
                Issue.record("unexpected: \(String(describing: error))")
                return
            }
            #expect(try await bodies(database) == [])
        }
    }

    @Test("a read cannot write", arguments: DatabaseUnderTest.all)
    func readOnly(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await makeNotes(database)
            let error = await #expect(throws: DatabaseError.self) {
                try await database.read { try $0.execute("INSERT INTO notes (id) VALUES (1)", []) }
            }
            #expect(error?.code == .readOnly)
            #expect(try await bodies(database) == [])
        }
    }

    @Test("a read sees one snapshot, whatever is committed meanwhile", arguments: DatabaseUnderTest.all)
    func snapshot(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await makeNotes(database)
            let gate = Gate()
            async let counts = database.read { connection in
                let before = try connection.first("SELECT count(*) FROM notes") { $0.integer(0) }
                gate.pass()
                return [before, try connection.first("SELECT count(*) FROM notes") { $0.integer(0) }]
            }
            await gate.isReached()
            try await database.write { try $0.execute("INSERT INTO notes (id) VALUES (1)", []) }
            gate.open()
            #expect(try await counts == [0, 0])
            #expect(try await bodies(database).count == 1)
        }
    }

    @Test("readers do not wait for a long write, and see nothing of it", arguments: DatabaseUnderTest.all)
    func readBesideWriter(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await makeNotes(database)
            let gate = Gate()
            async let written: Void = database.write { connection in
                try connection.execute("INSERT INTO notes (id) VALUES (1)", [])
                gate.pass()
            }
            await gate.isReached()
            for _ in 0..<50 { #expect(try await bodies(database) == []) }
            gate.open()
            try await written
            #expect(try await bodies(database).count == 1)
        }
    }

    // MARK: Constraints

    @Test("a repeated key is a unique violation that says which", arguments: DatabaseUnderTest.all)
    func uniqueViolation(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await makeNotes(database)
            let repeated: [(Int64, String)] = [(1, "second"), (2, "first")]
            for (id, body) in repeated {
                let error = await #expect(throws: DatabaseError.self) {
                    try await database.write { connection in
                        try connection.execute("INSERT INTO notes (id, body) VALUES (1, 'first')", [])
                        let insert = "INSERT INTO notes (id, body) VALUES (?, ?)"
                        try connection.execute(insert, [.integer(id), .text(body)])
                    }
                }
                guard case .uniqueViolation(let what) = error?.code else {
                    Issue.record("unexpected: \(String(describing: error))")
                    continue
                }
                #expect(what.contains("notes"))
                #expect(what.contains("body") == (id == 2))
                #expect(error?.isRetryable == false)
            }
        }
    }

    @Test("a missing parent is a foreign key violation", arguments: DatabaseUnderTest.all)
    func foreignKeys(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await makeNotes(database)
            let missing = await #expect(throws: DatabaseError.self) {
                try await database.write { try $0.execute("INSERT INTO remarks (id, note) VALUES (1, 99)", []) }
            }
            #expect(missing?.code == .foreignKeyViolation)
            try await database.write { connection in
                try connection.execute("INSERT INTO notes (id) VALUES (1)", [])
                try connection.execute("INSERT INTO remarks (id, note) VALUES (1, 1)", [])
            }
            let needed = await #expect(throws: DatabaseError.self) {
                try await database.write { try $0.execute("DELETE FROM notes", []) }
            }
            #expect(needed?.code == .foreignKeyViolation)
        }
    }

    // MARK: Values and statements

    @Test("values come back as they went", arguments: DatabaseUnderTest.all)
    func values(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await makeNotes(database)
            let long = String(repeating: "x", count: 100_000)
            var texts = [nil, "", "naïve 東京 🦅 e\u{301}", "'; DROP TABLE notes; --", long]
            if subject.keepsNULInText { texts.append("a\0b") }
            let blobs: [[UInt8]] = [[], [0], [0, 255, 0, 1], Array(repeating: 7, count: 70_000)]
            for (id, text) in texts.enumerated() {
                let data = blobs[id % blobs.count]
                let row = try await database.write { connection in
                    try connection.execute(
                        "INSERT INTO notes (id, body, data) VALUES (?, ?, ?)",
                        [SQLValue(id), SQLValue(text), .blob(data)]
                    )
                    let select = "SELECT id, body, data FROM notes WHERE id = ?"
                    return try connection.first(select, [SQLValue(id)]) { row in
                        (id: row.integer(0), text: row.optionalText(1), data: row.blob(2))
                    }
                }
                #expect(row?.id == Int64(id))
                // Byte by byte: Swift's == on strings is that of canonical equivalence.
                #expect(row?.text.map { Array($0.utf8) } == text.map { Array($0.utf8) })
                #expect(row?.data == data)
            }
            for number in [Int64.min, -1, 0, Int64.max] {
                try await database.write { connection in
                    try connection.execute("INSERT INTO remarks (id, note) VALUES (?, ?)", [.integer(number), nil])
                }
            }
            let numbers = try await database.read { connection in
                try connection.query("SELECT id, note FROM remarks ORDER BY id", []) { row in
                    (row.integer(0), row.optionalInteger(1), row.integer(1), row.bool(0))
                }
            }
            #expect(numbers.map(\.0) == [Int64.min, -1, 0, Int64.max])
            #expect(numbers.allSatisfy { $0.1 == nil && $0.2 == 0 && $0.3 == ($0.0 != 0) })
        }
    }

    @Test("the count of changed rows is the statement's own", arguments: DatabaseUnderTest.all)
    func changes(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await makeNotes(database)
            let counts = try await database.write { connection in
                [
                    try connection.execute("INSERT INTO notes (id) VALUES (1), (2), (3)", []),
                    try connection.execute("UPDATE notes SET body = NULL WHERE id > 1", []),
                    try connection.execute("UPDATE notes SET body = NULL WHERE id > 9", []),
                    try connection.execute("CREATE TABLE others (id BIGINT)", []),
                    try connection.execute("INSERT INTO notes (id) VALUES (3) ON CONFLICT DO NOTHING", []),
                    try connection.execute("DELETE FROM notes", []),
                ]
            }
            #expect(counts == [3, 2, 0, 0, 0, 3])
        }
    }

    @Test("an insert may return its row", arguments: DatabaseUnderTest.all)
    func returning(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            let numbers = try await database.write { connection in
                let key = connection.dialect.autoIncrementPrimaryKey
                try connection.script("CREATE TABLE numbered (id \(key), body TEXT)")
                let insert = "INSERT INTO numbered (body) VALUES (?) RETURNING id"
                return try ["a", "b"].map { body in
                    try connection.first(insert, [.text(body)]) { $0.integer(0) }
                }
            }
            #expect(numbers == [1, 2])
        }
    }

    @Test("more different statements than the cache keeps all answer", arguments: DatabaseUnderTest.all)
    func manyStatements(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase(limits: DatabaseLimits(cachedStatements: 16)) { database in
            try await makeNotes(database)
            let sums = try await database.read { connection in
                try (0..<2_000).map { number in
                    try connection.first("SELECT count(*) + \(number % 1_000) FROM notes") { $0.integer(0) }
                }
            }
            #expect(sums == (0..<2_000).map { Int64($0 % 1_000) })
        }
    }

    @Test("a statement may be used again within its own rows", arguments: DatabaseUnderTest.all)
    func nestedStatement(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await makeNotes(database)
            let pairs = try await database.write { connection in
                try connection.execute("INSERT INTO notes (id) VALUES (1), (2)", [])
                let sql = "SELECT id FROM notes ORDER BY id"
                return try connection.query(sql, []) { outer in
                    try connection.query(sql, []) { inner in outer.integer(0) * 10 + inner.integer(0) }
                }
            }
            #expect(pairs == [[11, 12], [21, 22]])
        }
    }

    @Test("a statement answers correctly after one that was left half way or failed", arguments: DatabaseUnderTest.all)
    func statementAfterFailure(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await makeNotes(database)
            try await database.write { try $0.execute("INSERT INTO notes (id) VALUES (1), (2)", []) }
            let sql = "SELECT id FROM notes WHERE id >= ? ORDER BY id"
            for _ in 0..<20 {
                await #expect(throws: Refusal()) {
                    try await database.read { try $0.query(sql, [1]) { _ in throw Refusal() } }
                }
                await #expect(throws: DatabaseError.self) { try await database.read { try $0.query(sql, []) { _ in } } }
                #expect(try await database.read { try $0.query(sql, [2]) { $0.integer(0) } } == [2])
            }
            for wrong in ["SELEC 1", "SELECT missing FROM notes", "", "SELECT 1; SELECT 2"] {
                let error = await #expect(throws: DatabaseError.self, "\(wrong)") {
                    try await database.read { try $0.query(wrong, []) { _ in } }
                }
                #expect(error?.code == .other)
            }
        }
    }

    // MARK: Many at once

    @Test("200 concurrent writers count exactly", arguments: DatabaseUnderTest.all)
    func counter(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            try await makeNotes(database)
            try await database.write { try $0.execute("INSERT INTO remarks (id, note) VALUES (0, NULL)", []) }
            try await database.write { connection in
                try connection.script("CREATE TABLE counter (value BIGINT); INSERT INTO counter VALUES (0)")
            }
            let seen = try await withThrowingTaskGroup(of: Int64.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        try await database.write { connection in
                            let select = "SELECT value FROM counter" + connection.dialect.forUpdate
                            let value = try connection.first(select) { $0.integer(0) } ?? -1
                            try connection.execute("UPDATE counter SET value = ?", [.integer(value + 1)])
                            return value
                        }
                    }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(seen == Set(0..<200))
            #expect(try await database.read { try $0.first("SELECT value FROM counter") { $0.integer(0) } } == 200)
        }
    }

    /// Lets jobs gather behind a held writer, so that they come to be written together.
    private func together<T: Sendable>(
        _ database: any Database,
        _ count: Int,
        _ body: @escaping @Sendable (Int, any SQLConnection) throws -> T
    ) async throws -> [Result<T, any Error>] {
        let gate = Gate()
        async let holding: Void = database.write { _ in gate.pass() }
        await gate.isReached()
        let results = await withTaskGroup(of: (Int, Result<T, any Error>).self) { group in
            for number in 0..<count {
                group.addTask {
                    do {
                        return (number, .success(try await database.write { try body(number, $0) }))
                    } catch {
                        return (number, .failure(error))
                    }
                }
            }
            // Time to get in line; should some come later, they are written all the same.
            group.addTask {
                try? await Task.sleep(for: .milliseconds(100))  // Only a cancelled test sleeps less.
                gate.open()
                return (-1, .failure(Refusal()))
            }
            return await group.reduce(into: [Int: Result<T, any Error>]()) { $0[$1.0] = $1.1 }
        }
        try await holding
        return (0..<count).compactMap { results[$0] }
    }

    @Test("an error in one of several writes harms none of the others", arguments: DatabaseUnderTest.all)
    func oneFailsAmongMany(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase(oneWriter: true) { database in
            try await makeNotes(database)
            let results = try await together(database, 40) { number, connection in
                try connection.execute("INSERT INTO notes (id, body) VALUES (?, ?)", [SQLValue(number), "\(number)"])
                switch number % 4 {
                case 1: throw Refusal(number: number)
                case 2: try connection.execute("INSERT INTO notes (id) VALUES (?)", [SQLValue(number)])
                default: break
                }
            }
            for (number, result) in results.enumerated() {
                switch (number % 4, result) {
                case (1, .failure(let error)): #expect(error as? Refusal == Refusal(number: number))
                case (2, .failure(let error)): #expect((error as? DatabaseError)?.isRetryable == false)
                case (0, .success), (3, .success): break
                default: Issue.record("\(number): \(result)")
                }
            }
            let kept = (0..<40).filter { $0 % 4 == 0 || $0 % 4 == 3 }.map { "\($0)" }
            #expect(try await bodies(database) == kept)
        }
    }

    @Test("a constraint that is checked at the commit fails its own write only", arguments: DatabaseUnderTest.all)
    func deferredConstraint(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase(oneWriter: true) { database in
            try await makeNotes(database)
            let results = try await together(database, 20) { number, connection in
                let parent: SQLValue = number == 7 ? 99 : nil
                try connection.execute("INSERT INTO remarks (id, late_note) VALUES (?, ?)", [SQLValue(number), parent])
            }
            for (number, result) in results.enumerated() {
                switch result {
                case .success: #expect(number != 7)
                case .failure(let error):
                    #expect(number == 7)
                    #expect((error as? DatabaseError)?.code == .foreignKeyViolation)
                }
            }
            let kept = try await database.read { connection in
                try connection.query("SELECT id FROM remarks ORDER BY id", []) { $0.integer(0) }
            }
            #expect(kept == (0..<20).filter { $0 != 7 })
        }
    }

    // MARK: Limits and closing

    @Test("one job more than may wait is refused at once", arguments: DatabaseUnderTest.all)
    func overload(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase(limits: DatabaseLimits(waiting: 2), oneWriter: true) { database in
            let gate = Gate()
            async let holding: Void = database.write { _ in gate.pass() }
            await gate.isReached()
            let overloaded = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        do {
                            try await database.write { _ in }
                            return false
                        } catch let error as DatabaseError where error.code == .overloaded {
                            return true
                        }
                    }
                }
                var overloaded = 0
                for try await refused in group where refused {
                    overloaded += 1
                    if overloaded == 8 { gate.open() }
                }
                return overloaded
            }
            #expect(overloaded == 8)
            try await holding
        }
    }

    @Test("a write that waited too long is refused and never run", arguments: DatabaseUnderTest.all)
    func patience(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase(limits: DatabaseLimits(patience: .seconds(1)), oneWriter: true) {
            database in
            let gate = Gate()
            async let holding: Void = hold(database, at: gate)
            await gate.isReached()
            let hasRun = Mutex(false)
            let error = await #expect(throws: DatabaseError.self) {
                try await database.write { _ in hasRun.withLock { $0 = true } }
            }
            #expect(error?.code == .timedOut)
            #expect(error?.isRetryable == true)
            gate.open()
            try await holding
            let isWritten = try await eventually {
                let answer: Bool? = try? await database.write { _ in true }
                return answer == true
            }
            #expect(isWritten)
            #expect(hasRun.withLock { $0 } == false)
        }
    }

    /// Brings a write to the gate, which on a busy machine may wait too long itself.
    private func hold(_ database: any Database, at gate: Gate) async throws {
        for attempt in 1... {
            do {
                return try await database.write { _ in gate.pass() }
            } catch let error as DatabaseError where error.code == .timedOut && !gate.wasReached && attempt < 60 {
                continue
            }
        }
    }

    @Test("a query that runs away is stopped, and its connection goes on serving", arguments: DatabaseUnderTest.all)
    func runawayQuery(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase(limits: DatabaseLimits(patience: .milliseconds(300))) { database in
            let endless =
                "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i % 7 + 1 FROM n) SELECT count(*) FROM n"
            for _ in 0..<6 {
                let error = await #expect(throws: DatabaseError.self) {
                    try await database.read { try $0.query(endless, []) { $0.integer(0) } }
                }
                #expect(error?.code == .timedOut)
            }
            // A busy machine may take longer than that for once.
            let isServed = try await eventually {
                let answer: Int64? = try? await database.read { try $0.first("SELECT 1") { $0.integer(0) } }
                return answer == 1
            }
            #expect(isServed)
        }
    }

    @Test("a read that bounds itself is stopped sooner, and the next one is not", arguments: DatabaseUnderTest.all)
    func boundedRead(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase { database in
            func count(to end: Int64, within limit: Duration) async throws -> Int64? {
                try await database.read { connection in
                    try connection.limit(to: limit)
                    let numbers =
                        "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                    return try connection.first("\(numbers) SELECT count(*) FROM n", [.integer(end)]) { $0.integer(0) }
                }
            }
            let start = ContinuousClock.now
            for _ in 0..<6 {
                let error = await #expect(throws: DatabaseError.self) {
                    try await count(to: 1 << 40, within: .milliseconds(100))
                }
                #expect(error?.code == .overLimit)
            }
            // Half of the thirty seconds that each of them has otherwise.
            #expect(ContinuousClock.now - start < .seconds(90))
            let counted = try await count(to: 1_000, within: .seconds(60))
            #expect(counted == 1_000)
        }
    }

    private static func isRefused(by database: any Database) async -> Bool {
        do {
            try await database.read { _ in }
            return false
        } catch {
            return true
        }
    }

    @Test("closing finishes what runs and refuses what waits, each once", arguments: DatabaseUnderTest.all)
    func close(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase(limits: DatabaseLimits(waiting: 50), oneWriter: true) { database in
            let gate = Gate()
            async let running = database.write { _ in
                gate.pass()
                return "done"
            }
            await gate.isReached()
            let unavailable = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<60 {
                    group.addTask {
                        do {
                            try await database.write { _ in }
                            return false
                        } catch let error as DatabaseError {
                            #expect(error.code == .unavailable || error.code == .overloaded)
                            return error.code == .unavailable
                        }
                    }
                }
                var count = 0
                var refused = 0
                for try await isUnavailable in group {
                    refused += 1
                    count += isUnavailable ? 1 : 0
                    // Ten are one too many for the line; the others are in it now.
                    if refused == 10 {
                        group.addTask {
                            await database.close()
                            return false
                        }
                        group.addTask {
                            // Reads are refused from the moment at which closing begins.
                            _ = try await eventually { await Self.isRefused(by: database) }
                            gate.open()
                            return false
                        }
                    }
                }
                return count
            }
            #expect(unavailable == 50)
            #expect(try await running == "done")
            await database.close()
            for attempt in [{ try await database.read { _ in } }, { try await database.write { _ in } }] {
                let error = await #expect(throws: DatabaseError.self) { try await attempt() }
                #expect(error?.code == .unavailable)
            }
        }
    }

    @Test("what was committed is there after closing and opening again", arguments: DatabaseUnderTest.all)
    func reopen(_ subject: DatabaseUnderTest) async throws {
        try await subject.withPlace { folder in
            let first = try await subject.open(folder, DatabaseLimits(), false)
            try await makeNotes(first)
            try await first.write { try $0.execute("INSERT INTO notes (id, body) VALUES (1, 'kept')", []) }
            await first.close()
            let second = try await subject.open(folder, DatabaseLimits(), false)
            #expect(try await bodies(second) == ["kept"])
            await second.close()
        }
    }
}
