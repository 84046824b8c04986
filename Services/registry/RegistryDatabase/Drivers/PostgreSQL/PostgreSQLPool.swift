internal import Synchronization

/// The threads that serve one line, each with a connection of its own: a number that stays, and more while jobs wait
/// for long.
final class PostgreSQLPool: Sendable {
    private struct State {
        var threads = 0
        var hasVigil = false
        /// Those that were started and have neither retired nor been joined, by their numbers.
        var handles: [Int: WorkerThread] = [:]
        var started = 0
    }

    private let side: PostgreSQLSide
    private let others: PostgreSQLSide
    private let settings: PostgreSQLSettings
    private let kept: Int
    private let most: Int
    private let state = Mutex(State())
    private let ending = Ending()

    /// Starts the threads; they connect when the first job comes.
    ///
    /// - Parameter others: the database's other pool's.
    /// - Throws: ``DatabaseError`` (`unavailable`) when the system has no threads left.
    init(_ side: PostgreSQLSide, beside others: PostgreSQLSide, _ settings: PostgreSQLSettings) throws {
        self.side = side
        self.others = others
        self.settings = settings
        kept = side.mayWrite ? settings.writers : settings.readers
        most = kept + (side.mayWrite ? settings.overflow / 2 : settings.overflow - settings.overflow / 2)
        do {
            for _ in 0..<kept { try addThread() }
            try startVigil()
        } catch {
            side.line.close()
            throw error
        }
    }

    func run<T: Sendable>(
        for waiter: Waiter?,
        _ body: @escaping @Sendable (any SQLConnection) throws -> T
    ) async throws -> T {
        try await side.line.run(for: waiter, body)
    }

    /// Refuses what waits. What runs goes on; ``closed()`` waits for it.
    func close() { side.line.close() }

    func closed() async {
        await ending.wait()
        // They are at their end. libpq's libraries clean up behind each thread, and abort where the process exits
        // meanwhile.
        let handles = state.withLock { state in
            defer { state.handles = [:] }
            return state.handles
        }
        for thread in handles.values { thread.join() }
    }

    private func start(_ name: String, _ body: @escaping @Sendable (_ number: Int) -> Void) throws {
        // No thread comes to its end before its handle is there.
        try state.withLock { state in
            let number = state.started
            state.handles[number] = try WorkerThread(name) { body(number) }
            state.started += 1
        }
    }

    private func addThread() throws {
        state.withLock { $0.threads += 1 }
        do {
            try start(side.mayWrite ? "postgres-writer" : "postgres-reader") { [self] number in
                var hasRetired = false
                PostgreSQLWorker(side, beside: others, settings).serve {
                    hasRetired = retire(number)
                    return hasRetired
                }
                if !hasRetired { end { $0.threads -= 1 } }
            }
        } catch {
            state.withLock { $0.threads -= 1 }
            throw error
        }
    }

    /// Whether a thread that can do nothing is one too many.
    private func retire(_ number: Int) -> Bool {
        state.withLock { state in
            guard state.threads > kept else { return false }
            state.threads -= 1
            state.handles.removeValue(forKey: number)?.detach()
            return true
        }
    }

    private func startVigil() throws {
        state.withLock { $0.hasVigil = true }
        do {
            try start("postgres-waits") { [self] _ in
                side.line.refuseTheLate(crowdedAfter: settings.crowdedAfter) {
                    // While the server refuses, one more thread would do nothing.
                    guard state.withLock({ $0.threads }) < most, side.pause == .zero else { return }
                    // Without another thread the jobs wait for those that there are.
                    try? addThread()
                }
                end { $0.hasVigil = false }
            }
        } catch {
            end { $0.hasVigil = false }
            throw error
        }
    }

    private func end(_ change: (inout State) -> Void) {
        let isOver = state.withLock { state in
            change(&state)
            return state.threads == 0 && !state.hasVigil
        }
        if isOver { ending.announce() }
    }
}
