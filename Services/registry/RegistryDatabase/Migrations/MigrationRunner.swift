internal import Glibc
public import ImageModel

/// Takes a database forward through numbered migrations; there is no way back.
///
/// The table `schema_migrations` records what was applied. Each migration is one transaction that looks again whether
/// it is still needed, so that several programs may run this at once and a broken run can be repeated.
public struct MigrationRunner: Sendable {
    private let migrations: [Migration]
    private let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - migrations: all there ever were, ascending.
    ///   - now: the time to record; the system's by default.
    public init(_ migrations: [Migration], now: (@Sendable () -> Timestamp)? = nil) {
        let numbers = migrations.map(\.number)
        precondition(zip([0] + numbers, numbers).allSatisfy { $0 < $1 }, "migrations ascend from 1")
        self.migrations = migrations
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
    /// - Throws: ``MigrationError`` when a later program has been there, or the history is another one; ``DatabaseError``
    ///   when a migration fails, which leaves those before it applied and nothing of its own.
    @discardableResult
    public func sync(_ database: any Database, through phase: Migration.Phase = .contract) async throws -> [Migration] {
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
        if let lock = connection.dialect.migrationLock { try connection.script(lock) }
        let status = try status(on: connection)
        guard status.unknown.isEmpty else { throw tooNew(status) }
        guard let next = status.pending.first, phase == .contract || next.phase == .expand else { return nil }
        if let last = status.applied.last, last.number > next.number {
            throw MigrationError(
                "The database has migration \(last.number) (\(last.name)) but not \(next.number) (\(next.name)), which "
                    + "comes before it."
            )
        }
        let localized = try localizedTexts(on: connection)
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
        try connection.script(next.sql(connection.dialect))
        try orderByBytes(try localizedTexts(on: connection).subtracting(localized), on: connection)
        try connection.execute(
            "INSERT INTO schema_migrations (number, name, phase, applied_at) VALUES (?, ?, ?, ?)",
            [
                .integer(Int64(next.number)), .text(next.name), .text(next.phase.rawValue),
                .integer(now().microseconds),
            ]
        )
        return next
    }

    private struct Column: Hashable {
        var table: String
        var name: String
    }

    private func localizedTexts(on connection: any SQLConnection) throws -> Set<Column> {
        guard let sql = connection.dialect.localizedTexts else { return [] }
        return Set(try connection.query(sql, []) { Column(table: $0.text(0), name: $0.text(1)) })
    }

    /// Pages and indexes have one order everywhere, whatever language the database was made for.
    private func orderByBytes(_ columns: Set<Column>, on connection: any SQLConnection) throws {
        for (table, columns) in Dictionary(grouping: columns, by: \.table).sorted(by: { $0.key < $1.key }) {
            let changes = columns.map { "ALTER COLUMN \"\($0.name)\" TYPE TEXT \(connection.dialect.byteOrder)" }
            try connection.script("ALTER TABLE \"\(table)\" \(changes.sorted().joined(separator: ", "))")
        }
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
