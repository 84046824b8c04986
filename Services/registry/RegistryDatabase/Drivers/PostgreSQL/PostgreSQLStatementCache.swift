/// The prepared statements of one session: those used last, up to a number.
struct PostgreSQLStatementCache {
    private struct Entry {
        var statement: PostgreSQLStatement
        var lastUse: UInt64
    }

    let capacity: Int
    private var entries: [String: Entry] = [:]
    private var uses: UInt64 = 0
    private var names: UInt64 = 0

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { entries.count }

    mutating func find(_ sql: String) -> PostgreSQLStatement? {
        uses += 1
        entries[sql]?.lastUse = uses
        return entries[sql]?.statement
    }

    /// A statement that is to be prepared under a name never used before in this session.
    mutating func next(_ sql: String) -> PostgreSQLStatement {
        names += 1
        let (numbered, count) = PostgreSQLPlaceholders.number(sql)
        return PostgreSQLStatement(name: "s\(names)", sql: numbered, parameters: count)
    }

    /// Keeps what the server has prepared.
    mutating func keep(_ statement: PostgreSQLStatement, for sql: String) {
        uses += 1
        entries[sql] = Entry(statement: statement, lastUse: uses)
    }

    /// Makes room for one more.
    ///
    /// - Returns: what the server shall forget.
    mutating func evict() -> PostgreSQLStatement? {
        guard entries.count >= capacity else { return nil }
        // Looks at all of them: some microseconds, beside preparing a statement, which takes more.
        guard let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return nil }
        return entries.removeValue(forKey: oldest.key)?.statement
    }

    /// The server has forgotten all of them.
    mutating func removeAll() { entries = [:] }
}

/// A statement as the server knows it.
struct PostgreSQLStatement {
    var name: String
    /// With `$1` and so on.
    var sql: String
    var parameters: Int
}
