internal import Glibc

/// Serves the jobs of one line on one connection, until the line is closed. Used by one thread.
final class PostgreSQLWorker {
    private let side: PostgreSQLSide
    /// Those of the same database who do what this one does not.
    private let others: PostgreSQLSide
    private let settings: PostgreSQLSettings
    private var connection: PostgreSQLConnection? {
        didSet {
            if (connection == nil) != (oldValue == nil) { side.has(oneMore: connection != nil) }
        }
    }

    private var line: WaitingLine { side.line }

    init(_ side: PostgreSQLSide, beside others: PostgreSQLSide, _ settings: PostgreSQLSettings) {
        self.side = side
        self.others = others
        self.settings = settings
    }

    /// - Parameter mayRetire: asked when nothing came for a while, or no connection can be had; the thread ends when it is
    ///   answered with `true`.
    func serve(mayRetire: () -> Bool) {
        defer { connection = nil }
        while connection == nil ? standBy(mayRetire) : work(mayRetire) {
            guard connection != nil, side.mustGiveWay() else { continue }
            connection = nil
            if mayRetire() { return }
        }
    }

    /// Serves the next job on the connection.
    ///
    /// - Returns: whether the thread goes on.
    private func work(_ mayRetire: () -> Bool) -> Bool {
        if let job = line.take(atMost: 1).first {
            serve(job)
            return true
        }
        connection?.settle()
        if connection?.isUsable == false {
            connection = nil
            return true
        }
        switch line.next(until: MonotonicTime.now + settings.idleCheck) {
        case .job(let job): serve(job)
        case .woken: break
        case .nothing:
            if mayRetire() { return false }
            checkHealth()
        case .closed: return false
        }
        return true
    }

    /// Connects when there is more to do than those who are connected can begin at once.
    ///
    /// - Returns: whether the thread goes on.
    private func standBy(_ mayRetire: () -> Bool) -> Bool {
        switch line.waitForNeed(until: MonotonicTime.now + settings.idleCheck) {
        case .closed: return false
        case .nothing:
            if mayRetire() { return false }
            checkHealth()
        case .job:
            connection = try? open()
            if connection != nil { break }
            if !side.isServed {
                // It is tried once more for this one, and then refused with what the server said.
                if let job = line.take(atMost: 1).first { serve(job) }
            } else {
                if mayRetire() { return false }
                line.rest(until: MonotonicTime.now + side.pause)
            }
        }
        return true
    }

    private func serve(_ job: any DatabaseJob) {
        var attempt = 0
        var hasPreparedAnew = false
        // Says more than that time ran out on another attempt.
        var collision: DatabaseError?
        while true {
            let failure: PostgreSQLFailure
            do {
                guard try run(job) else { return line.putBack(job) }
                return job.succeed()
            } catch let error as PostgreSQLFailure {
                failure = error
            } catch {
                let isLate = (error as? DatabaseError)?.code == .timedOut
                return job.fail(isLate ? collision ?? error : error)
            }
            if failure.error.code == .timedOut { return job.fail(collision ?? failure.error) }
            if failure.remedy == .again { collision = failure.error }
            attempt += 1
            if failure.error.code == .outcomeUnknown || MonotonicTime.now >= job.deadline
                || attempt > settings.retries ?? .max
            {
                return job.fail(failure.error)
            }
            switch failure.remedy {
            case .none: return job.fail(failure.error)
            case .reconnect: break
            case .again: Self.pause(attempt)
            case .prepareAnew:
                // A feature that the server does not have looks alike.
                guard !hasPreparedAnew else { return job.fail(failure.error) }
                hasPreparedAnew = true
                connection?.forgetStatements()
            }
        }
    }

    /// - Returns: `false` when it is for others to run, who have a connection.
    private func run(_ job: any DatabaseJob) throws -> Bool {
        guard let connection = try connected(until: job.deadline) else { return false }
        do {
            try side.mayWrite ? connection.write(job) : connection.read(job)
            return true
        } catch {
            let isLost = (error as? PostgreSQLFailure)?.remedy == .reconnect
            if isLost || !connection.isUsable { self.connection = nil }
            throw error
        }
    }

    /// Those who collided come back at different moments, each time later.
    private static func pause(_ attempt: Int) {
        let longest = 2_000 << min(attempt - 1, 8)
        usleep(UInt32.random(in: 0...UInt32(longest)))
    }

    // MARK: The connection

    /// - Returns: `nil` where none can be had, and others have one.
    private func connected(until end: MonotonicTime) throws(PostgreSQLFailure) -> PostgreSQLConnection? {
        if let connection, connection.isUsable, !isOld(connection) { return connection }
        connection = nil
        let patience = min(settings.outagePatience, settings.limits.patience)
        while true {
            do {
                connection = try open()
                return connection
            } catch {
                if side.isServed { return nil }
                let pause = side.pause
                guard MonotonicTime.now + pause < min(end, side.end(of: patience)) else {
                    throw PostgreSQLFailure(error)
                }
                // Not to its end: somebody else may be let in meanwhile.
                usleep(UInt32(min(max(1, pause.milliseconds), 100) * 1_000))
            }
        }
    }

    private func open() throws(DatabaseError) -> PostgreSQLConnection {
        try side.begin()
        do {
            let connection = try PostgreSQLConnection(settings, mayWrite: side.mayWrite)
            side.succeeded()
            return connection
        } catch {
            side.failed(error)
            if !side.isServed { others.giveWay() }
            throw error
        }
    }

    private func isOld(_ connection: PostgreSQLConnection) -> Bool {
        guard let lifetime = settings.lifetime else { return false }
        return MonotonicTime.now - connection.openedAt > lifetime
    }

    /// Finds out about a connection that died, or grew old, before a job has to.
    private func checkHealth() {
        if let connection, connection.answers(), !isOld(connection) { return }
        connection = nil
        // A failure is remembered; the next job or check tries again.
        connection = try? open()
    }
}
