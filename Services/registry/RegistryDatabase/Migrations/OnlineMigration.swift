internal import Glibc

/// Takes a PostgreSQL database through migrations while registries write in it (`docs/decisions/0019-online-expansion.md`).
///
/// One program does so at a time. What a step did and that it was done are committed together: where one was killed, the
/// next goes on. `migration_progress` says how far the migration under way is, and goes with its end.
struct OnlineMigration {
    /// Any number will do, as long as it never changes and nothing else in the database uses it.
    private static let lock: Int32 = 774_108_928
    /// An index on a table with fewer bytes is made in no time, and without waiting for everybody's snapshots.
    private static let small = 1 << 20
    /// How long a part of a table that is filled in should take; whoever wants one of its rows waits for it.
    private static let pace: ClosedRange<Duration> = .milliseconds(50) ... .milliseconds(200)
    private static let rows = 100...20_000

    let session: any DatabaseSession
    let runner: MigrationRunner

    func run(through phase: Migration.Phase) throws -> [Migration] {
        try session.exclusively(Self.lock) {
            var applied: [Migration] = []
            while let next = try session.transaction({ try runner.next(on: $0, through: phase) }) {
                if applied.isEmpty {
                    try session.transaction { connection in
                        try ByteOrder.keep(on: connection) { try runner.prepare(connection) }
                    }
                }
                try apply(next)
                applied.append(next)
            }
            return applied
        }
    }

    // MARK: Steps

    /// A step of a migration, in its place.
    private struct Place {
        var migration: Migration
        var step: Int
        var stepCount: Int

        var isLast: Bool { step == stepCount - 1 }
    }

    private func apply(_ migration: Migration) throws {
        let steps = migration.steps(.postgresql)
        let start =
            steps.count > 1
            ? try session.transaction { try MigrationProgress($0).start(of: migration) }
            : MigrationProgress.Point.beginning
        for (number, step) in steps.enumerated().dropFirst(start.step) {
            let place = Place(migration: migration, step: number, stepCount: steps.count)
            switch step {
            case .statements(let sql): try run(sql, place)
            case .filling(let filling): try fill(filling, place, from: number == start.step ? start.position : nil)
            case .index(let index): try build(index, place)
            }
        }
    }

    private func run(_ sql: String, _ place: Place) throws {
        try patiently(place.migration) {
            try session.transaction { connection in
                try ByteOrder.keep(on: connection) { try connection.script(sql) }
                try finish(place, on: connection)
            }
        }
    }

    /// Part of the transaction in which the step is done.
    private func finish(_ place: Place, on connection: any SQLConnection) throws {
        let progress = MigrationProgress(connection)
        guard place.isLast else { return try progress.record(place.migration, .init(step: place.step + 1)) }
        try runner.record(place.migration, on: connection)
        if place.stepCount > 1 { try progress.remove() }
    }

    private func fill(_ filling: MigrationStep.Filling, _ place: Place, from start: String?) throws {
        var position = start
        var rows = 1_000
        repeat {
            let begun = MonotonicTime.now
            let (before, count) = (position, rows)
            position = try patiently(place.migration) {
                try session.transaction { connection in
                    let end = try filling.run(on: connection, after: before, rows: count)
                    if let end {
                        try MigrationProgress(connection).record(
                            place.migration,
                            .init(step: place.step, position: end)
                        )
                    } else {
                        try finish(place, on: connection)
                    }
                    return end
                }
            }
            let duration = MonotonicTime.now - begun
            if duration < Self.pace.lowerBound { rows = min(rows * 2, Self.rows.upperBound) }
            if duration > Self.pace.upperBound { rows = max(rows / 2, Self.rows.lowerBound) }
        } while position != nil
    }

    /// A large table's index is made beside its readers and writers under another name, and takes its own when it is
    /// complete. One that a killed run has left invalid is made anew.
    private func build(_ index: MigrationStep.Index, _ place: Place) throws {
        let building = index.name + "_building"
        let isSmall = try session.transaction { connection in
            let sql = """
                SELECT pg_table_size(oid) FROM pg_class WHERE relname = ? AND relnamespace = current_schema()::regnamespace
                """
            return try connection.first(sql, [.text(index.table)]) { $0.integer(0) } ?? 0 < Self.small
        }
        guard !isSmall else { return try run("DROP INDEX IF EXISTS \(building); \(index.sql)", place) }
        try patiently(place.migration) {
            guard try session.transaction({ try isBuilt(building, on: $0) }) == false else { return }
            try session.transaction { try $0.script("DROP INDEX IF EXISTS \(building)") }
            try session.alone("CREATE INDEX CONCURRENTLY \(building) ON \(index.table) \(index.definition)")
        }
        try run("DROP INDEX IF EXISTS \(index.name); ALTER INDEX \(building) RENAME TO \(index.name)", place)
    }

    private func isBuilt(_ index: String, on connection: any SQLConnection) throws -> Bool {
        let sql = """
            SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE c.relname = ? AND c.relnamespace = current_schema()::regnamespace
            """
        return try connection.first(sql, [.text(index)]) { $0.bool(0) } ?? false
    }

    /// Tries again, with pauses in which those go on who were kept waiting.
    private func patiently<T>(_ migration: Migration, _ body: () throws -> T) throws -> T {
        let end = MonotonicTime.now + runner.lockPatience
        while true {
            do {
                return try body()
            } catch {
                guard (error as? DatabaseError)?.code == .busy else { throw error }
                guard MonotonicTime.now < end else {
                    throw MigrationError(
                        "Migration \(migration.number) (\(migration.name)) did not get its locks: somebody has a transaction "
                            + "open that goes on and on, such as a backup's. Run the same again after it; what was done "
                            + "stays done."
                    )
                }
                usleep(.random(in: 250_000...1_000_000))
            }
        }
    }
}

extension MigrationStep.Filling {
    /// - Returns: the key up to which rows are complete now; `nil` when all are.
    fileprivate func run(on connection: any SQLConnection, after start: String?, rows: Int) throws -> String? {
        var condition = SQLCondition("TRUE", [])
        if let start { condition.add("\(key) > ?", [.text(start)]) }
        let end = try connection.first(
            "SELECT \(key) FROM \(table) WHERE \(condition.sql) ORDER BY \(key) LIMIT 1 OFFSET ?",
            condition.values + [.integer(Int64(rows - 1))]
        ) { $0.text(0) }
        if let end { condition.add("\(key) <= ?", [.text(end)]) }
        try connection.execute(statement(condition.sql), condition.values)
        return end
    }
}
