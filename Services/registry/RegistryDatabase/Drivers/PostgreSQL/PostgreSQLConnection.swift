/// One connection, on the thread that owns it, and the transaction that it is in.
///
/// Writes are serializable: they have the effect of having been run one after another, whatever they read. Reads see
/// one snapshot. `BEGIN` travels with the first statement; the end of a read with the beginning of the next.
final class PostgreSQLConnection: SQLConnection {
    let dialect = SQLDialect.postgresql
    let openedAt = MonotonicTime.now
    private let session: PostgreSQLSession
    private let settings: PostgreSQLSettings
    private let mayWrite: Bool
    /// The limits of every transaction that has none of its own.
    private let sessionTimeouts: PostgreSQLTimeouts
    private var statements: PostgreSQLStatementCache

    /// What travels ahead of the next statement: the end of the last transaction, the beginning of this one.
    private var ahead: [PostgreSQLSession.Message] = []
    private var hasBegun = false
    /// Whether the transaction before is still open, and its end among what travels ahead.
    private var owesRollback = false
    private var deadline = MonotonicTime(nanoseconds: .max)
    /// Whether the deadline is of the transaction's own making.
    private var limitsItself = false
    /// Whether the transaction's statements are not planned for their values.
    private var plansOnce = false
    private var timeouts: PostgreSQLTimeouts
    private var waiter: Waiter?
    /// The first failed statement of this transaction.
    private var failure: PostgreSQLFailure?
    /// What the statements of this transaction have taken so far.
    private var statementTime = Duration.zero
    /// Whether the session can go on.
    private(set) var isUsable = true

    /// - Throws: ``DatabaseError`` (`unavailable`).
    init(_ settings: PostgreSQLSettings, mayWrite: Bool) throws(DatabaseError) {
        self.settings = settings
        self.mayWrite = mayWrite
        sessionTimeouts = settings.sessionTimeouts(mayWrite: mayWrite)
        timeouts = sessionTimeouts
        session = try PostgreSQLSession(settings.address, settings: settings.sessionSettings(mayWrite: mayWrite))
        statements = PostgreSQLStatementCache(capacity: settings.limits.cachedStatements)
    }

    // MARK: Transactions

    /// Runs the job on one snapshot. Its result may be used at once: the end of the transaction decides nothing.
    ///
    /// - Throws: ``PostgreSQLFailure`` of a statement, or what the body throws.
    func read(_ job: any DatabaseJob) throws {
        try begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", for: job)
        defer { leave() }
        try perform(job)
    }

    /// Runs the job and commits, if it is still waited for.
    ///
    /// - Throws: ``PostgreSQLFailure`` of a statement or of the commit, or what the body throws.
    func write(_ job: any DatabaseJob) throws {
        try begin("BEGIN ISOLATION LEVEL SERIALIZABLE", for: job)
        do {
            try perform(job)
            try job.waiter?.require()
        } catch {
            leave()
            settle()
            throw error
        }
        try commit()
    }

    private func begin(_ sql: String, for job: any DatabaseJob) throws(DatabaseError) {
        let now = MonotonicTime.now
        try job.waiter?.require(at: now)
        owesRollback = !ahead.isEmpty
        hasBegun = false
        failure = nil
        deadline = job.deadline
        waiter = job.waiter
        ahead.append(.control(sql))
        limitsItself = false
        plansOnce = false
        timeouts = sessionTimeouts
        setTimeouts(timeouts.bounded(by: time(from: now), isAwaited: waiter?.hasDeadline ?? false))
    }

    private func setTimeouts(_ wanted: PostgreSQLTimeouts) {
        ahead += wanted.settings(in: timeouts)
        timeouts = wanted
    }

    /// How long a statement of this transaction may take. Where nobody is known to wait, a write, or a read that has
    /// hardly waited itself, has the whole patience for each.
    private func time(from now: MonotonicTime) -> Duration {
        let patience = settings.limits.patience
        let left = deadline - now
        return !(waiter?.hasDeadline ?? false) && (mayWrite || left > patience * 0.75) ? patience : left
    }

    private func perform(_ job: any DatabaseJob) throws {
        let started = MonotonicTime.now
        statementTime = .zero
        defer { job.spent(MonotonicTime.now - started - statementTime) }
        do {
            try job.run(on: self)
        } catch {
            // A body may give a failed statement a name of its own, but not hide that trying again would help.
            if let failure, failure.remedy != .none { throw failure }
            throw error
        }
        if let failure { throw failure }
        guard !hasBegun || session.isInTransaction else {
            throw DatabaseError(.other, "A transaction was ended by its own body.")
        }
    }

    private func commit() throws {
        guard hasBegun else { return leave() }
        // What goes wrong from here on has an unknown end, and takes the time that it takes.
        waiter = nil
        let outcome: (results: [PostgreSQLResult], failure: PostgreSQLFailure?)
        do {
            outcome = try exchange([.control("COMMIT")])
        } catch {
            let text = "The connection was lost during a commit: \(error.error.message)"
            throw PostgreSQLFailure(DatabaseError(.outcomeUnknown, text), .reconnect)
        }
        hasBegun = false
        if let failure = outcome.failure { throw failure }
        guard outcome.results.first?.command == "COMMIT" else {
            throw DatabaseError(.other, "The transaction was rolled back instead of committed.")
        }
    }

    /// Ends the transaction with the next message, or with ``settle()``; nothing of it is kept.
    private func leave() {
        ahead.removeAll()
        // A body without a statement has sent nothing: what was open before it still is, with its old snapshot.
        if hasBegun || owesRollback, isUsable { ahead.append(.control("ROLLBACK")) }
        hasBegun = false
        owesRollback = false
        waiter = nil
    }

    /// Ends what has been left open.
    func settle() {
        guard !ahead.isEmpty, isUsable else { return }
        let messages = ahead
        ahead.removeAll()
        do {
            if try exchange(messages).failure != nil { isUsable = false }
        } catch {
            // The session is marked as lost, and with it went the transaction.
        }
    }

    /// Runs one statement outside of every transaction.
    ///
    /// - Throws: ``PostgreSQLFailure``.
    func alone(_ sql: String) throws {
        settle()
        guard isUsable else { throw PostgreSQLFailure.lost("it was given up") }
        do {
            try session.script(sql, mayWrite: mayWrite)
        } catch {
            if error.remedy == .reconnect { isUsable = false }
            throw error
        }
    }

    /// Whether the server still answers.
    func answers() -> Bool {
        ahead.append(.control("SELECT 1"))
        settle()
        return isUsable
    }

    /// Lets the server forget its prepared statements; they are prepared anew when they are needed.
    func forgetStatements() {
        statements.removeAll()
        ahead.append(.control("DEALLOCATE ALL"))
        settle()
    }

    // MARK: Statements

    func query<Result>(_ sql: String, _ values: [SQLValue], _ row: (any SQLRow) throws -> Result) throws -> [Result] {
        let result = try run(sql, values)
        // A row points into the result, and does not keep it.
        return try withExtendedLifetime(result) {
            var rows: [Result] = []
            rows.reserveCapacity(result.rowCount)
            for number in 0..<result.rowCount { rows.append(try row(result.row(number))) }
            return rows
        }
    }

    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int { try run(sql, values).changedRows }

    func limit(to duration: Duration) {
        let end = MonotonicTime.now + duration
        guard end < deadline else { return }
        deadline = end
        limitsItself = true
        setTimeouts(sessionTimeouts.bounded(by: duration, isAwaited: true))
    }

    /// An index is walked in its order then, however few rows the server expects there: what few rows most values have says
    /// nothing of this one, and a bitmap would be sorted.
    func planOnce() {
        guard !plansOnce else { return }
        plansOnce = true
        ahead.append(.control("SET LOCAL plan_cache_mode = force_generic_plan"))
        ahead.append(.control("SET LOCAL enable_bitmapscan = off"))
    }

    func script(_ sql: String) throws {
        let started = MonotonicTime.now
        defer { report(sql, since: started) }
        try guarded { () throws(PostgreSQLFailure) in
            if !ahead.isEmpty {
                let messages = ahead
                ahead.removeAll()
                hasBegun = true
                if let failure = try exchange(messages).failure { throw failure }
            }
            do throws(PostgreSQLFailure) {
                try session.script(sql, mayWrite: mayWrite)
            } catch {
                if error.remedy == .reconnect { isUsable = false }
                throw error
            }
        }
    }

    private func run(_ sql: String, _ values: [SQLValue]) throws(DatabaseError) -> PostgreSQLResult {
        let started = MonotonicTime.now
        defer { report(sql, since: started) }
        return try guarded { () throws(PostgreSQLFailure) in
            guard mayWrite || started < deadline else {
                throw PostgreSQLFailure(DatabaseError(.timedOut, "A read took longer than it may."))
            }
            do throws(DatabaseError) {
                try waiter?.requireTime(at: started)
            } catch {
                throw PostgreSQLFailure(error)
            }
            return try prepareAndExecute(sql, values)
        }
    }

    private func prepareAndExecute(_ sql: String, _ values: [SQLValue]) throws(PostgreSQLFailure) -> PostgreSQLResult {
        let known = statements.find(sql)
        let statement = known ?? statements.next(sql)
        try check(values, of: statement)
        var messages = ahead
        ahead.removeAll()
        hasBegun = true
        if known == nil {
            if let old = statements.evict() { messages.append(.control("DEALLOCATE \(old.name)")) }
            messages.append(.prepare(statement))
        }
        messages.append(.execute(statement, values))
        let (results, failure) = try exchange(messages)
        if known == nil, results.count >= messages.count - 1 { statements.keep(statement, for: sql) }
        if let failure { throw failure }
        guard let result = results.last else { throw .lost("there is no answer") }
        return result
    }

    private func check(_ values: [SQLValue], of statement: PostgreSQLStatement) throws(PostgreSQLFailure) {
        guard values.count == statement.parameters else {
            let text = "\(values.count) values for \(statement.parameters) placeholders in: \(statement.sql)"
            throw PostgreSQLFailure(DatabaseError(.other, text))
        }
        do {
            try values.requireNoNUL()
        } catch {
            throw PostgreSQLFailure(error)
        }
    }

    private func exchange(_ messages: [PostgreSQLSession.Message]) throws(PostgreSQLFailure)
        -> (results: [PostgreSQLResult], failure: PostgreSQLFailure?)
    {
        // The server's own limits come first; this is for one that says nothing any more.
        let now = MonotonicTime.now
        var end = now + settings.limits.patience + .seconds(5)
        if let waiter, waiter.hasDeadline { end = min(end, max(now, waiter.deadline) + .seconds(2)) }
        do {
            return try session.exchange(messages, until: end, mayWrite: mayWrite)
        } catch {
            isUsable = false
            throw error
        }
    }

    /// Remembers that a statement failed, and refuses further ones.
    private func guarded<Result>(_ body: () throws(PostgreSQLFailure) -> Result) throws(DatabaseError) -> Result {
        if let failure { throw failure.error }
        do {
            return try body()
        } catch {
            var error = error
            // The server's limit of a statement was the transaction's own.
            if error.error.code == .timedOut, limitsItself { error.error.code = .overLimit }
            failure = error
            throw error.error
        }
    }

    private func report(_ sql: String, since started: MonotonicTime) {
        let duration = MonotonicTime.now - started
        statementTime += duration
        if duration >= settings.limits.slowQuery { settings.onSlowQuery?(sql, duration) }
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}
