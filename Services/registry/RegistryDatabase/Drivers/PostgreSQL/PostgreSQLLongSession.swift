internal import Glibc

/// A connection for work that takes long, beside the pool's.
final class PostgreSQLLongSession: DatabaseSession {
    /// How long a transaction waits for a lock: while it does, everybody who comes later waits, too.
    private static let lockWait = "500ms"
    /// The server ends an autovacuum that is in somebody's way after `deadlock_timeout`, a second: now and then that is
    /// waited for.
    private static let longLockWait = "1300ms"

    private let connection: PostgreSQLConnection

    /// - Throws: ``DatabaseError`` (`unavailable`).
    init(_ settings: PostgreSQLSettings) throws {
        var settings = settings
        // The server's limits are lifted below; ours is for a server that says nothing any more.
        settings.limits.patience = .seconds(600)
        connection = try PostgreSQLConnection(settings, mayWrite: true)
        try alone("SET statement_timeout = 0")
        try alone("SET lock_timeout = 0")
        // A server notices within seconds that its client was killed, and does not work on for nobody.
        try alone(
            """
            SELECT set_config('client_connection_check_interval', '2s', false)
            WHERE current_setting('server_version_num')::INTEGER >= 140000
            """
        )
    }

    func transaction<T>(_ body: (any SQLConnection) throws -> T) throws -> T {
        try withoutActuallyEscaping(body) { body in
            let job = LongJob { connection in
                try connection.script(
                    """
                    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
                    SET LOCAL statement_timeout = 0;
                    SET LOCAL lock_timeout = '\(Int.random(in: 1...4) == 1 ? Self.longLockWait : Self.lockWait)'
                    """
                )
                return try body(connection)
            }
            do {
                try connection.write(job)
            } catch let failure as PostgreSQLFailure {
                throw failure.error
            }
            guard let value = job.value else { preconditionFailure("what was committed has run") }
            return value
        }
    }

    func alone(_ sql: String) throws {
        do {
            try connection.alone(sql)
        } catch let failure as PostgreSQLFailure {
            throw failure.error
        }
    }

    /// The lock is the session's, and that of one schema. A statement that waits for it sees the database as it was when it
    /// began, and whoever builds an index beside others waits for all such statements: so it never waits for long.
    func exclusively<T>(_ lock: Int32, _ body: () throws -> T) throws -> T {
        let key = "\(lock), current_schema()::regnamespace::oid::INTEGER"
        try alone("SET lock_timeout = '\(Self.lockWait)'")
        while true {
            do {
                try alone("SELECT pg_advisory_lock(\(key))")
                break
            } catch {
                guard (error as? DatabaseError)?.code == .busy else { throw error }
                usleep(50_000)
            }
        }
        try alone("SET lock_timeout = 0")
        let value = try body()
        try alone("SELECT pg_advisory_unlock(\(key))")
        return value
    }
}

/// Work that nobody's time limits.
///
/// `@unchecked Sendable`: it does not leave the thread that made it.
private final class LongJob<Value>: DatabaseJob, @unchecked Sendable {
    let joined = MonotonicTime.now
    let deadline = MonotonicTime(nanoseconds: .max)
    let waiter: Waiter? = nil
    private(set) var value: Value?
    private let body: (any SQLConnection) throws -> Value

    init(_ body: @escaping (any SQLConnection) throws -> Value) { self.body = body }

    func spent(_ duration: Duration) {}
    func run(on connection: any SQLConnection) throws { value = try body(connection) }
    func succeed() {}
    func fail(_ error: any Error) {}
}

extension PostgreSQLDatabase: OnlineDatabase {
    public func session<T: Sendable>(
        _ body: @escaping @Sendable (any DatabaseSession) throws -> T
    ) async throws -> T {
        let settings = settings
        var thread: WorkerThread?
        // It is at its end when it is joined. libpq's libraries clean up behind each thread, and abort where the process
        // exits meanwhile.
        defer { thread?.join() }
        return try await withCheckedThrowingContinuation { continuation in
            do {
                thread = try WorkerThread("postgres-long") {
                    continuation.resume(with: Result { try body(PostgreSQLLongSession(settings)) })
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}
