internal import CSQLite
internal import Glibc

/// One connection to a SQLite file.
///
/// `@unchecked Sendable`: opened on one thread and then handed to the one that alone uses it from there on; SQLite
/// itself is compiled for use by several threads, and opened without a mutex per connection.
final class SQLiteConnection: SQLConnection, @unchecked Sendable {
    enum Role {
        case reader
        case writer
    }

    let dialect = SQLDialect.sqlite
    /// When a reader's statements are interrupted, and whether by the job's own wish. Meaningless for a writer.
    private var deadline = MonotonicTime(nanoseconds: .max)
    private var limitsItself = false
    /// The first failed statement of this transaction.
    private var failure: DatabaseError?
    /// Whether a job's body is running, and who waits for it.
    private var isPerforming = false
    private var waiter: Waiter?
    /// What the statements of this job have taken so far, with the reading of their rows.
    private var statementTime = Duration.zero
    private var handle: OpaquePointer?
    private let statements: SQLiteStatementCache
    private let slowQuery: Duration
    private let onSlowQuery: SlowQueryReport?

    init(path: String, role: Role, limits: DatabaseLimits, onSlowQuery: SlowQueryReport?) throws {
        statements = SQLiteStatementCache(capacity: limits.cachedStatements)
        slowQuery = limits.slowQuery
        self.onSlowQuery = onSlowQuery
        SQLiteLibrary.isReady
        // A reader too must be able to write the index of the log, which readers share.
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let result = sqlite3_open_v2(path, &handle, flags, nil)
        guard result == SQLITE_OK else { throw DatabaseError(sqlite: result, on: handle, sql: "open \(path)") }
        sqlite3_busy_timeout(handle, 1_000)
        try configure(role, until: MonotonicTime.now + limits.patience)
    }

    deinit { close() }

    func close() {
        statements.removeAll()
        sqlite3_close_v2(handle)
        handle = nil
    }

    private func configure(_ role: Role, until end: MonotonicTime) throws {
        while true {
            do {
                return try configure(role)
            } catch let error as DatabaseError where error.code == .busy && MonotonicTime.now < end {
                // Another process is making the same new file ready; SQLite does not wait for that.
                failure = nil
                usleep(10_000)
            }
        }
    }

    private func configure(_ role: Role) throws {
        let mode = try query("PRAGMA journal_mode = WAL", []) { $0.text(0) }.first
        guard mode == "wal" else {
            throw DatabaseError(.unavailable, "The file system does not allow a write-ahead log, which shares memory.")
        }
        // FULL syncs the log at every commit: with NORMAL a loss of power undoes transactions that were answered for.
        // trusted_schema = OFF: a tampered file cannot call functions from its schema. Mapped memory would turn an I/O
        // error into a signal.
        try script(
            """
            PRAGMA synchronous = FULL;
            PRAGMA foreign_keys = ON;
            PRAGMA trusted_schema = OFF;
            PRAGMA mmap_size = 0;
            PRAGMA temp_store = MEMORY;
            PRAGMA cache_size = -4096;
            PRAGMA journal_size_limit = 67108864;
            """
        )
        // Both callbacks end with the connection, which ends before this object does.
        let connection = Unmanaged.passUnretained(self).toOpaque()
        guard role == .reader else {
            // A body that commits by itself would commit its neighbours' half-done work too: that becomes a rollback.
            sqlite3_commit_hook(
                handle,
                { connection in
                    guard let connection else { return 0 }
                    return Unmanaged<SQLiteConnection>.fromOpaque(connection).takeUnretainedValue().isPerforming ? 1 : 0
                },
                connection
            )
            return
        }
        try script("PRAGMA query_only = ON")
        sqlite3_progress_handler(
            handle,
            20_000,
            { connection in
                guard let connection else { return 0 }
                let deadline = Unmanaged<SQLiteConnection>.fromOpaque(connection).takeUnretainedValue().deadline
                return MonotonicTime.now < deadline ? 0 : 1
            },
            connection
        )
    }

    // MARK: Transactions

    /// Whether a transaction is open. A failure can have ended it: SQLite rolls back by itself when the disk is full.
    var isInTransaction: Bool { handle.map { sqlite3_get_autocommit($0) == 0 } ?? false }

    /// Begins, commits and the like, which neither fail a transaction nor are refused in one that has failed.
    func control(_ sql: String) throws {
        try withStatement(sql, []) { statement throws(DatabaseError) in
            while try statement.step() {}
        }
    }

    /// Runs the job's body and holds it to the rules of ``SQLConnection``; the caller commits or rolls back.
    ///
    /// - Throws: what the body throws, or ``DatabaseError``; `timedOut` when nobody waits for the job any more.
    func perform(_ job: any DatabaseJob) throws {
        try job.waiter?.require()
        failure = nil
        isPerforming = true
        waiter = job.waiter
        deadline = job.deadline
        limitsItself = false
        let started = MonotonicTime.now
        statementTime = .zero
        defer {
            job.spent(MonotonicTime.now - started - statementTime)
            failure = nil
            isPerforming = false
            waiter = nil
            deadline = MonotonicTime(nanoseconds: .max)
        }
        try job.run(on: self)
        if let failure { throw failure }
        guard isInTransaction else { throw DatabaseError(.other, "A transaction was ended by its own body.") }
    }

    /// Leaves no transaction open, whatever happened.
    func rollBack() {
        guard isInTransaction else { return }
        do {
            try control("ROLLBACK")
        } catch {
            // Only the disk can be at fault; should the transaction still be open, the next BEGIN says so.
        }
    }

    /// Moves the log into the database and empties it.
    func checkpoint() {
        // Where a reader of another process is in the way, the log is left to whoever opens the database next.
        sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
    }

    // MARK: Statements

    func query<Result>(_ sql: String, _ values: [SQLValue], _ row: (any SQLRow) throws -> Result) throws -> [Result] {
        try guarded { () throws -> [Result] in
            try withStatement(sql, values) { statement in
                var results: [Result] = []
                let current = SQLiteRow(handle: statement.handle)
                while try statement.step() { results.append(try row(current)) }
                return results
            }
        }
    }

    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
        try guarded { () throws -> Int in
            try withStatement(sql, values) { statement in
                let before = sqlite3_total_changes64(handle)
                while try statement.step() {}
                // The count of changes stays that of an earlier statement when this one is of another kind.
                return sqlite3_total_changes64(handle) == before ? 0 : Int(sqlite3_changes64(handle))
            }
        }
    }

    func limit(to duration: Duration) {
        let end = MonotonicTime.now + duration
        guard end < deadline else { return }
        deadline = end
        limitsItself = true
    }

    /// It never does otherwise.
    func planOnce() {}

    func script(_ sql: String) throws {
        try guarded {
            let started = MonotonicTime.now
            let result = sqlite3_exec(handle, sql, nil, nil, nil)
            report(sql, since: started)
            guard result == SQLITE_OK else { throw DatabaseError(sqlite: result, on: handle, sql: sql) }
        }
    }

    /// Remembers that a statement failed, and refuses further ones.
    private func guarded<Result>(_ body: () throws -> Result) throws -> Result {
        if let failure { throw failure }
        do {
            try waiter?.requireTime(at: .now)
            return try body()
        } catch var error as DatabaseError {
            if error.code == .timedOut, limitsItself, MonotonicTime.now >= deadline { error.code = .overLimit }
            failure = failure ?? error
            throw error
        }
    }

    private func withStatement<Result, Failure>(
        _ sql: String,
        _ values: [SQLValue],
        _ body: (SQLiteStatement) throws(Failure) -> Result
    ) throws -> Result {
        guard let handle else { throw DatabaseError.closed }
        let started = MonotonicTime.now
        let statement = try statements.take(sql, on: handle)
        defer {
            statements.giveBack(statement)
            report(sql, since: started)
        }
        try statement.bind(values)
        return try body(statement)
    }

    private func report(_ sql: String, since started: MonotonicTime) {
        let duration = MonotonicTime.now - started
        statementTime += duration
        if duration >= slowQuery { onSlowQuery?(sql, duration) }
    }
}
