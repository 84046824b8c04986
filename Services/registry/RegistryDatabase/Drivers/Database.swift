/// A database that serves many tasks at once. Work runs on threads of the driver's own, never on Swift's, and waits
/// for one in a bounded line.
///
/// Cancelling the task that waits changes nothing: the work is short, its answer is wanted when something has to be
/// undone after a cancellation, and a write that has begun would have an unknown outcome.
public protocol Database: Sendable {
    var dialect: SQLDialect { get }

    /// Runs `body` on one consistent snapshot, taken with its first query; neither blocks writers nor waits for them.
    ///
    /// `body` may be run again when the database was busy.
    ///
    /// - Parameter waiter: who waits for it, where that is not for as long as the limit says.
    /// - Throws: what `body` throws, or ``DatabaseError``: `overloaded`, `timedOut` (waiting and reading together took
    ///   longer than the limit), `unavailable` after ``close()``.
    func read<T: Sendable>(
        for waiter: Waiter?,
        _ body: @escaping @Sendable (any SQLConnection) throws -> T
    ) async throws -> T

    /// Runs `body` as one transaction, one after another: commits when it returns, rolls back when it throws. When
    /// this returns, what was written survives a loss of power.
    ///
    /// Only its effects on the database may matter: `body` may be run again after a busy or serialization failure.
    ///
    /// - Parameter waiter: who waits for it: it is not committed once they no longer do. The last look is the one before
    ///   the commit, which then takes the time that it takes.
    /// - Throws: what `body` throws, or ``DatabaseError``: `overloaded`, `timedOut` (waited longer than the limit or than
    ///   the waiter, and was not applied), `unavailable` after ``close()``, or why it could not be committed.
    @discardableResult
    func write<T: Sendable>(
        for waiter: Waiter?,
        _ body: @escaping @Sendable (any SQLConnection) throws -> T
    ) async throws -> T

    /// Lets running work finish, refuses what waits (`unavailable`), and returns when every connection is closed. May
    /// be called more than once.
    func close() async
}

extension Database {
    /// As ``read(for:_:)``, for as long as the limit says.
    public func read<T: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> T) async throws -> T {
        try await read(for: nil, body)
    }

    /// As ``write(for:_:)``, for as long as the limit says.
    @discardableResult
    public func write<T: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> T) async throws -> T {
        try await write(for: nil, body)
    }
}

/// How much may wait for a database, and how long.
public struct DatabaseLimits: Sendable {
    /// The jobs that may wait for a connection, reads and writes each; one more is `overloaded`.
    public var waiting: Int
    /// How long a job may wait; for a read, how long it may wait and run.
    public var patience: Duration
    /// The prepared statements that each connection keeps.
    public var cachedStatements: Int
    /// Statements that take at least this long are reported.
    public var slowQuery: Duration

    public init(
        waiting: Int = 4096,
        patience: Duration = .seconds(30),
        cachedStatements: Int = 256,
        slowQuery: Duration = .milliseconds(500)
    ) {
        self.waiting = waiting
        self.patience = patience
        self.cachedStatements = cachedStatements
        self.slowQuery = slowQuery
    }
}

/// Told of each slow statement: its text (values are never part of it) and how long it took, on the thread that ran
/// it.
public typealias SlowQueryReport = @Sendable (_ sql: String, _ duration: Duration) -> Void
