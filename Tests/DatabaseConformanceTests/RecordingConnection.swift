import RegistryDatabase

/// Passes statements on to another connection and remembers them.
final class RecordingConnection: SQLConnection {
    struct Statement {
        var sql: String
        var values: [SQLValue]
    }

    private let connection: any SQLConnection
    private(set) var statements: [Statement] = []
    /// Whether the statements from some point on were to be planned once.
    private(set) var plansOnce = false

    init(_ connection: any SQLConnection) { self.connection = connection }

    var dialect: SQLDialect { connection.dialect }

    func query<Result>(_ sql: String, _ values: [SQLValue], _ row: (any SQLRow) throws -> Result) throws -> [Result] {
        statements.append(Statement(sql: sql, values: values))
        return try connection.query(sql, values, row)
    }

    @discardableResult
    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
        statements.append(Statement(sql: sql, values: values))
        return try connection.execute(sql, values)
    }

    func limit(to duration: Duration) throws { try connection.limit(to: duration) }

    func planOnce() {
        plansOnce = true
        connection.planOnce()
    }

    func script(_ sql: String) throws {
        statements.append(Statement(sql: sql, values: []))
        try connection.script(sql)
    }
}
