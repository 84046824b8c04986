import ImageModel
import RegistryContract
import RegistryDatabase
import Synchronization
import Testing

/// A large database of the first release is expanded while its registries write.
///
/// One at a time: whoever builds an index beside others waits for all that read in the same database.
@Suite(
    "Online expansion",
    .serialized,
    .enabled(if: PostgreSQLServer.shared != nil, "GLANCE_TEST_POSTGRESQL is not set")
)
struct OnlineExpansionTests {
    private let runner = MigrationRunner(Migration.all)

    /// A large old database, opened by its registries and by whoever expands it.
    private func withLargeOne(_ body: (_ older: any Database, _ newer: any Database) async throws -> Void) async throws
    {
        let subject = DatabaseUnderTest.postgresql
        try await subject.withPlace { folder in
            let older = try await subject.open(folder, DatabaseLimits(), false)
            let newer = try await subject.openBeside(folder)
            let outcome: Result<Void, any Error>
            do {
                try await LargeOldDatabase.make(older)
                outcome = .success(try await body(older, newer))
            } catch {
                outcome = .failure(error)
            }
            await older.close()
            await newer.close()
            try outcome.get()
        }
    }

    /// What a fresh database has, and every row.
    private func expectExpanded(_ database: any Database) async throws {
        let expanded = try await LargeOldDatabase.description(of: database)
        try await DatabaseUnderTest.postgresql.withDatabase { fresh in
            try await runner.sync(fresh, through: .expand)
            let expected = try await LargeOldDatabase.description(of: fresh)
            #expect(expanded == expected, "\(Set(expanded).symmetricDifference(expected))")
        }
        let tables = RegistryTables(database: database)
        for table in ["image_properties", "image_tags", "image_members"] {
            let wrong = "image_created_at IS DISTINCT FROM (SELECT i.created_at FROM images i WHERE i.id = image_id)"
            #expect(try await tables.count("\(table) WHERE \(wrong)") == 0, "\(table)")
        }
        #expect(try await tables.count(TagAudienceTests.stale) == 0)
        #expect(
            try await tables.count("image_properties WHERE value_prefix IS DISTINCT FROM substr(value, 1, 255)") == 0
        )
        #expect(try await tables.count("images WHERE sort_name IS DISTINCT FROM COALESCE(name, '')") == 0)
        // What each project has, by one sum over all its rows.
        let counted = try await database.read { connection in
            try connection.query(
                """
                SELECT owner, sum(image_count), sum(uploading_count), sum(stored_bytes) FROM project_usage
                GROUP BY owner ORDER BY owner
                """,
                []
            ) { "\($0.text(0)): \($0.integer(1)) images, \($0.integer(2)) uploading, \($0.integer(3)) bytes" }
        }
        let found = try await database.read { connection in
            try connection.query(
                """
                SELECT i.owner, count(*) FILTER (WHERE i.status <> 'deleted'), count(*) FILTER (WHERE i.status = 'saving'),
                    COALESCE(sum(i.size * (SELECT count(*) FROM image_locations l
                        WHERE l.image_id = i.id AND l.state = 'live')) FILTER (WHERE i.status <> 'deleted'), 0)
                FROM images i GROUP BY i.owner ORDER BY i.owner
                """,
                []
            ) { "\($0.text(0)): \($0.integer(1)) images, \($0.integer(2)) uploading, \($0.integer(3)) bytes" }
        }
        #expect(counted == found && counted.count >= 10)
    }

    /// How far the older ones are.
    private final class Progress: Sendable {
        let writes = Atomic(0)
        let isExpanded = Atomic(false)
        private let slowest = Mutex(Duration.zero)

        var slowestWrite: Duration { slowest.withLock { $0 } }

        func wrote(in duration: Duration) {
            slowest.withLock { $0 = max($0, duration) }
            writes.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// Writes images of its own, and changes and deletes those that were there, until the database is expanded.
    private func write(_ writer: Int, _ database: any Database, _ progress: Progress) async throws {
        let statements = try ReleasedStatements("0001")
        let life = ["create", "update", "share", "answer", "unshare", "begin", "finish", "delete"]
        var random = SeededGenerator(seed: UInt64(writer))
        var number = 0
        while !progress.isExpanded.load(ordering: .relaxed) || number < 4 {
            let clock = ContinuousClock()
            for operation in number % 3 == 0 ? life : Array(life.dropLast()) {
                let start = clock.now
                let id = ImageID.numbered(writer * 100_000 + number)
                try await statements.run([operation], on: id, of: "project \(number % 10)", database)
                progress.wrote(in: clock.now - start)
            }
            let chosen = Int64.random(in: 1...LargeOldDatabase.imageCount, using: &random)
            for change in Self.changes(of: chosen, number) {
                let start = clock.now
                try await database.write { try $0.script(change) }
                progress.wrote(in: clock.now - start)
            }
            number += 1
            // Enough for there to be some under way at any time.
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Transactions upon an image that was there before, each alone.
    private static func changes(of image: Int64, _ number: Int) -> [String] {
        let id = LargeOldDatabase.id(of: image)
        return [
            """
            UPDATE images SET name = 'changed \(number)', revision = revision + 1 WHERE id = '\(id)';
            UPDATE image_properties SET value = 'changed \(number)' WHERE image_id = '\(id)' AND name = 'number'
            """,
            """
            UPDATE images SET owner = 'project \(number % 10)', visibility = '\(number % 2 == 0 ? "public" : "private")'
            WHERE id = '\(id)'
            """,
            """
            UPDATE images SET status = 'deleted', deleted_at = 1 WHERE id = '\(id)';
            UPDATE image_locations SET state = 'deleting' WHERE image_id = '\(id)';
            DELETE FROM image_tags WHERE image_id = '\(id)'
            """,
        ]
    }

    private func waits(_ database: any Database) async throws -> Bool {
        try await database.read { connection in
            let sql = """
                SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock' AND relation = 'images'::regclass
                """
            return try connection.first(sql) { _ in true } ?? false
        }
    }

    @Test("keeps no write waiting for long, neither when it waits itself nor when it fills in, and has every row")
    func writers() async throws {
        try await withLargeOne { older, newer in
            let progress = Progress()
            let gate = Gate()
            try await withThrowingTaskGroup(of: [Int].self) { group in
                // Somebody who reads on and on, such as a backup, keeps the columns from being added.
                group.addTask {
                    try await older.read { connection in
                        _ = try connection.query("SELECT id FROM images LIMIT 1", []) { _ in true }
                        gate.pass()
                    }
                    return []
                }
                await gate.isReached()
                for writer in 1...2 {
                    group.addTask {
                        try await write(writer, older, progress)
                        return []
                    }
                }
                // Two nodes at once.
                for _ in 1...2 {
                    group.addTask { try await runner.sync(newer, through: .expand).map(\.number) }
                }
                #expect(try await eventually(asking: 3_000) { try await waits(newer) })
                let before = progress.writes.load(ordering: .relaxed)
                #expect(try await eventually(asking: 3_000) { progress.writes.load(ordering: .relaxed) > before + 30 })
                #expect(try await runner.status(newer).version == 1, "nobody could have expanded it yet")
                gate.open()
                var applied: [Int] = []
                var nodes = 0
                // The reader's and the nodes' ends; the writers' come when those have ended.
                while nodes < 3, let result = try await group.next() {
                    applied += result
                    nodes += 1
                }
                progress.isExpanded.store(true, ordering: .relaxed)
                try await group.waitForAll()
                #expect(
                    applied.sorted() == Migration.all.filter { $0.phase == .expand }.map(\.number).filter { $0 > 1 }
                )
            }
            // On a machine that does a dozen other things; each wait for a lock is 1.3 s at most.
            #expect(progress.slowestWrite < .seconds(20))
            try await expectExpanded(newer)
        }
    }

    @Test("goes on behind a run that was broken off, and makes anew an index that was left invalid")
    func brokenOff() async throws {
        try await withLargeOne { older, newer in
            // One that fails leaves an index of its name that is of no use.
            await #expect(throws: DatabaseError.self) {
                try await (newer as? any OnlineDatabase)?.session {
                    try $0.alone("CREATE UNIQUE INDEX CONCURRENTLY images_by_name_building ON images (status)")
                }
            }
            #expect(try await LargeOldDatabase.description(of: newer).contains { $0.hasSuffix("(status) false") })
            // Each time somebody holds what one of the steps needs, further on.
            let held = [("images", 1), ("image_tags", 1), ("uploads", 4), ("image_locations", 6), ("image_tags", 8)]
            for (table, version) in held {
                let gate = Gate()
                async let holding: Void? = (older as? any OnlineDatabase)?.session { session in
                    try session.transaction { connection in
                        try connection.script(
                            """
                            SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE \(table) IN ACCESS SHARE MODE
                            """
                        )
                        gate.pass()
                    }
                }
                await gate.isReached()
                let impatient = MigrationRunner(Migration.all, lockPatience: .milliseconds(1))
                let error = await #expect(throws: MigrationError.self) {
                    try await impatient.sync(newer, through: .expand)
                }
                #expect(error?.message.contains("did not get its locks") == true)
                #expect(error?.message.contains("Run the same again") == true)
                gate.open()
                _ = try await holding
                #expect(try await runner.status(newer).version == version, "\(table)")
            }
            #expect(try await runner.sync(newer, through: .expand).last?.number == 9)
            try await expectExpanded(newer)
        }
    }
}
