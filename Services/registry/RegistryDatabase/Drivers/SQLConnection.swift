/// One row of an answer, valid only during the callback that receives it. Columns count from 0.
///
/// Where a column holds NULL, `integer` is 0, `text` and `blob` are empty and `bool` is false: ask the `optional…`
/// form when the column may be NULL.
public protocol SQLRow {
    func integer(_ column: Int) -> Int64
    func optionalInteger(_ column: Int) -> Int64?
    func text(_ column: Int) -> String
    func optionalText(_ column: Int) -> String?
    func bool(_ column: Int) -> Bool
    func blob(_ column: Int) -> [UInt8]
    /// The bytes of a text where they lie, valid only during the callback; `nil` for NULL.
    func utf8(_ column: Int) -> UnsafeBufferPointer<UInt8>?
}

/// One connection inside a transaction, on the thread that owns it; it must not be kept beyond the transaction's body.
///
/// Statements are written with `?` placeholders for every database. A statement that fails ends the transaction: later
/// ones throw the same error, and the transaction rolls back even when its body catches it. (PostgreSQL has no other
/// way; so that nothing comes to depend on SQLite's leniency, SQLite behaves alike.) To meet an expected conflict
/// write `ON CONFLICT DO NOTHING` and look at the count.
///
/// Every method throws ``DatabaseError``.
public protocol SQLConnection {
    var dialect: SQLDialect { get }

    /// Runs one statement and gives `row` each row of its answer; also for `INSERT … RETURNING`.
    ///
    /// A statement is prepared once per connection and kept while it is among the recently used. Write its text with
    /// placeholders, and lists of varying length so that few different texts arise.
    ///
    /// - Throws: also what `row` throws; that alone does not end the transaction.
    func query<Result>(_ sql: String, _ values: [SQLValue], _ row: (any SQLRow) throws -> Result) throws -> [Result]

    /// Runs one statement.
    ///
    /// - Returns: the number of rows it inserted, updated or deleted itself, not counting cascades and triggers; 0 for
    ///   statements that change no rows.
    @discardableResult
    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int

    /// Bounds the rest of this transaction, which reads: a statement that still runs when `duration` is over fails
    /// (`overLimit`). Never extends the time that the caller has (`timedOut`); a wait for somebody's lock ends sooner, and
    /// is told as such (`busy`).
    func limit(to duration: Duration) throws

    /// For the rest of this transaction: a statement is planned for any values, when it is prepared, and not again for
    /// those that it is run with. For statements whose text alone says by which index their rows are found, and in which
    /// order: planning one takes longer than running it.
    func planOnce()

    /// Runs several statements without values, as migrations have them.
    func script(_ sql: String) throws
}

extension SQLConnection {
    /// The first row of an answer, if there is one.
    public func first<Result>(
        _ sql: String,
        _ values: [SQLValue] = [],
        _ row: (any SQLRow) throws -> Result
    ) throws -> Result? {
        try query(sql, values, row).first
    }
}
