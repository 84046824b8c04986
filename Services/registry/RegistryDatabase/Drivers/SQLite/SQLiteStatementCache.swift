/// The prepared statements of one connection: those used last, up to a number.
final class SQLiteStatementCache {
    private let capacity: Int
    private var statements: [String: SQLiteStatement] = [:]
    private var uses: UInt64 = 0

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { statements.count }

    /// A statement that nobody else uses now; its user gives it back.
    func take(_ sql: String, on connection: OpaquePointer) throws(DatabaseError) -> SQLiteStatement {
        let statement: SQLiteStatement
        if let kept = statements[sql] {
            // A second one of the same text, for a query within its own rows, is not kept.
            guard !kept.isInUse else { return try SQLiteStatement(sql, on: connection) }
            statement = kept
        } else {
            statement = try SQLiteStatement(sql, on: connection)
            if statements.count >= capacity { forgetOldest() }
            statements[sql] = statement
        }
        uses += 1
        statement.lastUse = uses
        statement.isInUse = true
        return statement
    }

    func giveBack(_ statement: SQLiteStatement) {
        statement.reset()
        statement.isInUse = false
    }

    func removeAll() { statements = [:] }

    /// Looks at all of them: some microseconds, beside preparing a statement, which takes more.
    private func forgetOldest() {
        let oldest = statements.values.min { $0.lastUse < $1.lastUse }
        // One that is in use lives on in its user's hands.
        if let oldest { statements[oldest.sql] = nil }
    }
}
