/// How far a migration of several steps is.
struct MigrationProgress {
    struct Point {
        /// The step that is next, or under way; from 0.
        var step: Int
        /// Up to which key its rows are complete.
        var position: String?

        static let beginning = Point(step: 0)
    }

    let connection: any SQLConnection

    init(_ connection: any SQLConnection) { self.connection = connection }

    /// Where a migration that was not broken off begins, and one that was goes on.
    func start(of migration: Migration) throws -> Point {
        try connection.script(
            """
            CREATE TABLE IF NOT EXISTS migration_progress (
                number BIGINT NOT NULL PRIMARY KEY,
                step BIGINT NOT NULL,
                position TEXT \(connection.dialect.byteOrder)
            )
            """
        )
        return try connection.first(
            "SELECT step, position FROM migration_progress WHERE number = ?",
            [.integer(Int64(migration.number))]
        ) { Point(step: Int($0.integer(0)), position: $0.optionalText(1)) } ?? .beginning
    }

    func record(_ migration: Migration, _ point: Point) throws {
        try connection.execute(
            """
            INSERT INTO migration_progress (number, step, position) VALUES (?, ?, ?)
            ON CONFLICT (number) DO UPDATE SET step = excluded.step, position = excluded.position
            """,
            [
                .integer(Int64(migration.number)), .integer(Int64(point.step)),
                point.position.map { .text($0) } ?? .null,
            ]
        )
    }

    /// Once nothing is under way.
    func remove() throws { try connection.script("DROP TABLE migration_progress") }
}
