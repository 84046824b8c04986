/// The server's own limits of one statement, and of one wait for a lock within it.
struct PostgreSQLTimeouts: Equatable {
    /// Milliseconds, at least 1: 0 would mean none.
    var statement: Int64
    var lock: Int64

    init(statement: Duration, lock: Duration) {
        self.statement = max(1, statement.milliseconds)
        self.lock = max(1, lock.milliseconds)
    }

    /// The limits of a transaction.
    ///
    /// - Parameters:
    ///   - time: what is left for it.
    ///   - isAwaited: whether somebody waits for just so long. Then a statement takes at most that time, and a wait for a
    ///     lock ends a little sooner, so that it is told as what it is; the session's limits bound both besides. Otherwise
    ///     the time alone counts.
    func bounded(by time: Duration, isAwaited: Bool) -> PostgreSQLTimeouts {
        // Of a short time more is left: a busy server comes late to the wait itself, for which its clock starts then.
        let sooner = max(time * 0.1, min(time * 0.5, .milliseconds(250)))
        let lock = isAwaited ? time - sooner : min(time, .seconds(10))
        var timeouts = PostgreSQLTimeouts(statement: time, lock: lock)
        guard isAwaited else { return timeouts }
        timeouts.statement = min(timeouts.statement, statement)
        timeouts.lock = min(timeouts.lock, self.lock)
        return timeouts
    }

    /// What has to be said to have these in one transaction of a session that has others.
    func settings(in session: PostgreSQLTimeouts) -> [PostgreSQLSession.Message] {
        var messages: [PostgreSQLSession.Message] = []
        if statement != session.statement { messages.append(.control("SET LOCAL statement_timeout = \(statement)")) }
        if lock != session.lock { messages.append(.control("SET LOCAL lock_timeout = \(lock)")) }
        return messages
    }
}
