/// A PostgreSQL database: threads of its own, each with a connection, some for reads and some for writes, so that
/// neither takes the other's.
///
/// A committed transaction is on the server's disk. Connections are made when they are needed and replaced when they
/// are lost: a read, or a write before its commit, is then run again; a write whose commit got no answer fails with
/// `outcomeUnknown`.
public final class PostgreSQLDatabase: Database {
    public let dialect = SQLDialect.postgresql
    private let reads: PostgreSQLPool
    private let writes: PostgreSQLPool

    /// Starts the threads. Nothing connects before the first job, which a server out of reach keeps waiting for some
    /// seconds.
    ///
    /// - Throws: ``DatabaseError`` when the system has no threads left.
    public init(_ settings: PostgreSQLSettings) throws {
        reads = try PostgreSQLPool(settings, mayWrite: false)
        do {
            writes = try PostgreSQLPool(settings, mayWrite: true)
        } catch {
            reads.close()
            throw error
        }
    }

    deinit {
        reads.close()
        writes.close()
    }

    public func read<T: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> T) async throws -> T {
        try await reads.run(body)
    }

    @discardableResult
    public func write<T: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> T) async throws -> T {
        try await writes.run(body)
    }

    public func close() async {
        // Writes first: who sees a read refused may rely on it that no write begins any more.
        writes.close()
        reads.close()
        await reads.closed()
        await writes.closed()
    }

    /// Waits until the server answers, for a service that starts together with it.
    ///
    /// - Parameters:
    ///   - retries: how often to try again; `nil` for ever.
    ///   - interval: the pause before each.
    ///   - onFailure: told of each failure that is followed by another attempt.
    /// - Throws: the last failure.
    public func requireReachable(
        retries: Int?,
        interval: Duration,
        onFailure: (DatabaseError) -> Void
    ) async throws {
        var attempt = 0
        while true {
            do {
                return try await read { try $0.query("SELECT 1", []) { _ in } }.forEach { _ in }
            } catch let error as DatabaseError {
                guard error.isRetryable, attempt < retries ?? .max else { throw error }
                onFailure(error)
            }
            attempt += 1
            try await Task.sleep(for: interval)
        }
    }
}
