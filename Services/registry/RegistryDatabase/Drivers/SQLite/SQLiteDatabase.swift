/// A SQLite file: one thread that writes, a few that read, each with a connection of its own.
///
/// A committed transaction survives a loss of power (write-ahead log, `synchronous = FULL`). Readers see the last
/// commit and never wait for the writer. Other processes may use the file meanwhile; their locks are waited for.
public final class SQLiteDatabase: Database {
    public let dialect = SQLDialect.sqlite
    private let reads: WaitingLine
    private let writes: WaitingLine
    private let ending = Ending()

    /// Opens the database, creating it (mode 0600) where there is none. Blocks for as long as that takes.
    ///
    /// - Parameters:
    ///   - path: of the file; `<path>-wal`, `<path>-shm` and `<path>.lock` appear beside it.
    ///   - readers: how many threads read, at least 1.
    ///   - exclusiveService: whether to refuse while another has the database open in this way. For services; a tool
    ///     that works beside one passes `false`.
    ///   - limits: how much may wait, how long, and what counts as slow.
    ///   - onSlowQuery: told of statements that take longer than the limit.
    /// - Throws: ``DatabaseError`` with a sentence fit for an operator.
    public init(
        path: String,
        readers: Int = 4,
        exclusiveService: Bool = true,
        limits: DatabaseLimits = DatabaseLimits(),
        onSlowQuery: SlowQueryReport? = nil
    ) throws {
        precondition(readers >= 1, "a database without readers cannot be read")
        let path = try SQLiteFile.prepare(path)
        let lock = exclusiveService ? try SQLiteServiceLock(path: path + ".lock", database: path) : nil
        func connect(_ role: SQLiteConnection.Role) throws -> SQLiteConnection {
            try SQLiteConnection(path: path, role: role, limits: limits, onSlowQuery: onSlowQuery)
        }
        let writer = try connect(.writer)
        let readers = try (0..<readers).map { _ in try connect(.reader) }

        let reads = WaitingLine(for: "a thread that reads", limits: limits)
        let writes = WaitingLine(for: "the thread that writes", limits: limits)
        self.reads = reads
        self.writes = writes

        var threads: [WorkerThread] = []
        do {
            for connection in readers {
                let reader = SQLiteReader(connection: connection, line: reads)
                threads.append(try WorkerThread("sqlite-reader") { reader.serve() })
            }
            for line in [reads, writes] {
                threads.append(try WorkerThread("sqlite-waiting") { line.refuseTheLate() })
            }
            let others = threads
            let ending = ending
            let last = try WorkerThread("sqlite-writer") {
                SQLiteWriter(connection: writer, line: writes).serve()
                for thread in others { thread.join() }
                // A tool leaves the log to the service beside it, whose writer this would hold up.
                if lock != nil { writer.checkpoint() }
                writer.close()
                lock?.release()
                ending.announce()
            }
            last.detach()
        } catch {
            reads.close()
            writes.close()
            for thread in threads { thread.join() }
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
        await ending.wait()
    }
}
