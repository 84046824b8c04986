internal import Glibc
public import ImageModel

/// Takes a database forward through numbered migrations; there is no way back.
///
/// The table `schema_migrations` records what was applied. Several programs may run this at once, and a run that was broken
/// off can be repeated: each migration is one transaction that looks again whether it is still needed, or is done step by
/// step by one program at a time (``OnlineMigration``).
public struct MigrationRunner: Sendable {
    private let migrations: [Migration]
    /// How long a step is tried again for that does not get its locks.
    let lockPatience: Duration
    private let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - migrations: all there ever were, ascending.
    ///   - lockPatience: for how long a step of an ``OnlineDatabase`` is tried again that does not get its locks.
    ///   - now: the time to record; the system's by default.
    public init(
        _ migrations: [Migration],
        lockPatience: Duration = .seconds(600),
        now: (@Sendable () -> Timestamp)? = nil
    ) {
        let numbers = migrations.map(\.number)
        precondition(zip([0] + numbers, numbers).allSatisfy { $0 < $1 }, "migrations ascend from 1")
        self.migrations = migrations
        self.lockPatience = lockPatience
        self.now = now ?? systemTime
    }

    /// - Throws: ``MigrationError`` when the database's history is another one; ``DatabaseError``.
    public func status(_ database: any Database) async throws -> MigrationStatus {
        try await database.read { connection in try status(on: connection) }
    }

    /// That of a database that is not there yet.
    public var statusOfNothing: MigrationStatus { MigrationStatus(applied: [], pending: migrations, unknown: []) }

    /// Applies what is pending, in order.
    ///
    /// - Parameters:
    ///   - database: the one to take forward.
    ///   - phase: `expand` stops before the first migration that programs of the release before could not bear.
    /// - Returns: what was applied by this call.
    /// - Throws: ``MigrationError`` when a later program has been there, the history is another one, or a lock was not to be
    ///   had; ``DatabaseError`` when a migration fails, which leaves those before it applied and nothing of its own, but
    ///   steps that were done.
    @discardableResult
    public func sync(_ database: any Database, through phase: Migration.Phase = .contract) async throws -> [Migration] {
        if let online = database as? any OnlineDatabase {
            return try await online.session { try OnlineMigration(session: $0, runner: self).run(through: phase) }
        }
        var applied: [Migration] = []
        while let migration = try await database.write({ try applyNext(on: $0, through: phase) }) {
            applied.append(migration)
        }
        return applied
    }

    /// Refuses to let a service start on a schema that does not suit it. One that a later program has merely expanded
    /// does, so that services can be replaced one by one.
    ///
    /// - Throws: ``MigrationError``; ``DatabaseError``.
    public func requireSuitable(_ database: any Database) async throws {
        let status = try await status(database)
        if let first = status.pending.first {
            throw MigrationError(
                "The database is at version \(status.version) and lacks migration \(first.number) (\(first.name)); "
                    + "run \"glance-manage db sync\"."
            )
        }
        if status.unknown.contains(where: { $0.phase == .contract }) { throw tooNew(status) }
    }

    private func applyNext(on connection: any SQLConnection, through phase: Migration.Phase) throws -> Migration? {
        guard let next = try next(on: connection, through: phase) else { return nil }
        try prepare(connection)
        for step in next.steps(connection.dialect) { try connection.script(step.sql) }
        try record(next, on: connection)
        return next
    }

    /// The one to be applied now; `nil` when there is none left.
    func next(on connection: any SQLConnection, through phase: Migration.Phase) throws -> Migration? {
        let status = try status(on: connection)
        guard status.unknown.isEmpty else { throw tooNew(status) }
        guard let next = status.pending.first, phase == .contract || next.phase == .expand else { return nil }
        if let last = status.applied.last, last.number > next.number {
            throw MigrationError(
                "The database has migration \(last.number) (\(last.name)) but not \(next.number) (\(next.name)), which "
                    + "comes before it."
            )
        }
        return next
    }

    /// Makes the table of what was applied.
    func prepare(_ connection: any SQLConnection) throws {
        try connection.script(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                number BIGINT NOT NULL PRIMARY KEY,
                name TEXT NOT NULL,
                phase TEXT NOT NULL,
                applied_at BIGINT NOT NULL
            )
            """
        )
    }

    func record(_ migration: Migration, on connection: any SQLConnection) throws {
        try connection.execute(
            "INSERT INTO schema_migrations (number, name, phase, applied_at) VALUES (?, ?, ?, ?)",
            [
                .integer(Int64(migration.number)), .text(migration.name), .text(migration.phase.rawValue),
                .integer(now().microseconds),
            ]
        )
    }

    private func status(on connection: any SQLConnection) throws -> MigrationStatus {
        let applied = try applied(on: connection)
        let known = Dictionary(uniqueKeysWithValues: migrations.map { ($0.number, $0) })
        for record in applied {
            if let migration = known[record.number], migration.name != record.name {
                throw MigrationError(
                    "The database's migration \(record.number) is \"\(record.name)\" where this program's is "
                        + "\"\(migration.name)\": it belongs to something else."
                )
            }
        }
        let numbers = Set(applied.map(\.number))
        return MigrationStatus(
            applied: applied,
            pending: migrations.filter { !numbers.contains($0.number) },
            unknown: applied.filter { known[$0.number] == nil }
        )
    }

    private func applied(on connection: any SQLConnection) throws -> [AppliedMigration] {
        let exists = try connection.first(connection.dialect.tableExists, ["schema_migrations"]) { _ in true } ?? false
        guard exists else { return [] }
        return try connection.query(
            "SELECT number, name, phase, applied_at FROM schema_migrations ORDER BY number",
            []
        ) { row in
            guard let phase = Migration.Phase(rawValue: row.text(2)) else {
                throw MigrationError(
                    "The database's migration \(row.integer(0)) is of a strange phase, \"\(row.text(2))\"."
                )
            }
            return AppliedMigration(
                number: Int(row.integer(0)),
                name: row.text(1),
                phase: phase,
                appliedAt: Timestamp(microseconds: row.integer(3))
            )
        }
    }

    private func tooNew(_ status: MigrationStatus) -> MigrationError {
        let unknown = status.unknown.map { "\($0.number) (\($0.name))" }.joined(separator: ", ")
        return MigrationError(
            "The database is newer than this program, which does not know its migration \(unknown): use the program "
                + "that brought it there, or a later one."
        )
    }
}

private func systemTime() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
}
