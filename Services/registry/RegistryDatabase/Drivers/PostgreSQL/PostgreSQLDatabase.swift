/// A PostgreSQL database: threads of its own, each with a connection, some for reads and some for writes, so that
/// neither takes the other's.
///
/// A committed transaction is on the server's disk. Connections are made when they are needed and replaced when they
/// are lost: a read, or a write before its commit, is then run again; a write whose commit got no answer fails with
/// `outcomeUnknown`.
///
/// Where the server lets in fewer than were allowed, those who are in do the work; and the threads that read leave one of
/// several connections to those that write, or the other way round, when those have none.
public final class PostgreSQLDatabase: Database {
    public let dialect = SQLDialect.postgresql
    private let reads: PostgreSQLPool
    private let writes: PostgreSQLPool
    let settings: PostgreSQLSettings

    /// Starts the threads. Nothing connects before the first job, which a server out of reach keeps waiting for some
    /// seconds.
    ///
    /// - Throws: ``DatabaseError`` when the system has no threads left.
    public init(_ settings: PostgreSQLSettings) throws {
        self.settings = settings
        let readers = PostgreSQLSide(settings, mayWrite: false)
        let writers = PostgreSQLSide(settings, mayWrite: true)
        reads = try PostgreSQLPool(readers, beside: writers, settings)
        do {
            writes = try PostgreSQLPool(writers, beside: readers, settings)
        } catch {
            reads.close()
            throw error
        }
    }

    deinit {
        reads.close()
        writes.close()
    }

    public func read<T: Sendable>(
        for waiter: Waiter?,
        _ body: @escaping @Sendable (any SQLConnection) throws -> T
    ) async throws -> T {
        try await reads.run(for: waiter, body)
    }

    @discardableResult
    public func write<T: Sendable>(
        for waiter: Waiter?,
        _ body: @escaping @Sendable (any SQLConnection) throws -> T
    ) async throws -> T {
        try await writes.run(for: waiter, body)
    }

    public func close() async {
        // Writes first: who sees a read refused may rely on it that no write begins any more.
        writes.close()
        reads.close()
        await reads.closed()
        await writes.closed()
    }

    /// Waits until the server lets us in, for a service that starts together with it. What no waiting can mend, such as a
    /// wrong password, is not waited for.
    ///
    /// - Parameters:
    ///   - retries: how often to try again; `nil` for ever.
    ///   - interval: the pause before each.
    ///   - onFailure: told of each failure that is followed by another attempt.
    /// - Throws: the last failure, with a sentence that says what to change where that is known.
    public func requireReachable(
        retries: Int?,
        interval: Duration,
        onFailure: (DatabaseError) -> Void
    ) async throws {
        var attempt = 0
        while true {
            switch try await contact() {
            case .reached: return
            case .mistake(let error): throw error
            case .notYet(let error):
                guard attempt < retries ?? .max else { throw error }
                onFailure(error)
            }
            attempt += 1
            try await Task.sleep(for: interval)
        }
    }

    private func contact() async throws -> PostgreSQLFirstContact.Outcome {
        let contact = PostgreSQLFirstContact(settings: settings)
        var thread: WorkerThread?
        let outcome = try await withCheckedThrowingContinuation { continuation in
            do {
                thread = try WorkerThread("postgres-start") { continuation.resume(returning: contact.attempt()) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
        // It is at its end. libpq's libraries clean up behind each thread, and abort where the process exits meanwhile.
        thread?.join()
        return outcome
    }
}
