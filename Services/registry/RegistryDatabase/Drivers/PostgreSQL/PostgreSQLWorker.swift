internal import Glibc

/// Serves the jobs of one line on one connection, until the line is closed. Used by one thread.
final class PostgreSQLWorker {
    private let line: WaitingLine
    private let settings: PostgreSQLSettings
    private let mayWrite: Bool
    private var connection: PostgreSQLConnection?
    private var outage = PostgreSQLOutage()

    init(_ line: WaitingLine, _ settings: PostgreSQLSettings, mayWrite: Bool) {
        self.line = line
        self.settings = settings
        self.mayWrite = mayWrite
    }

    /// - Parameter mayRetire: asked when nothing came for a while; the thread ends when it is answered with `true`.
    func serve(mayRetire: () -> Bool) {
        defer { connection = nil }
        while true {
            if let job = line.take(atMost: 1).first {
                serve(job)
                continue
            }
            connection?.settle()
            switch line.next(until: MonotonicTime.now + settings.idleCheck) {
            case .job(let job): serve(job)
            case .nothing:
                if mayRetire() { return }
                checkHealth()
            case .closed: return
            }
        }
    }

    private func serve(_ job: any DatabaseJob) {
        var attempt = 0
        var hasPreparedAnew = false
        // Says more than that time ran out on another attempt.
        var collision: DatabaseError?
        while true {
            let failure: PostgreSQLFailure
            do {
                try run(job)
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

    private func run(_ job: any DatabaseJob) throws {
        let connection = try connected(until: job.deadline)
        do {
            try mayWrite ? connection.write(job) : connection.read(job)
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

    private func connected(until end: MonotonicTime) throws(PostgreSQLFailure) -> PostgreSQLConnection {
        if let connection, connection.isUsable, !isOld(connection) { return connection }
        connection = nil
        let patience = outage.end(settings.outagePatience)
        while true {
            do {
                let opened = try open()
                connection = opened
                return opened
            } catch {
                let next = MonotonicTime.now + outage.pause
                guard next < min(end, patience) else { throw PostgreSQLFailure(error) }
                usleep(UInt32(max(0, outage.pause.milliseconds) * 1_000))
            }
        }
    }

    private func open() throws(DatabaseError) -> PostgreSQLConnection {
        if let error = outage.refusal { throw error }
        do {
            let connection = try PostgreSQLConnection(settings, mayWrite: mayWrite)
            outage.isOver()
            return connection
        } catch {
            outage.goesOn(error)
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
        // A failure is remembered as an outage; the next job or check tries again.
        connection = try? open()
    }
}

/// Since when a server cannot be reached, and when to try again: pauses grow and differ, so that not all come at once.
struct PostgreSQLOutage {
    private var since: MonotonicTime?
    private var failures = 0
    private var nextAttempt = MonotonicTime(nanoseconds: 0)
    private var error: DatabaseError?

    /// Until when somebody who comes now may wait.
    func end(_ patience: Duration) -> MonotonicTime { (since ?? .now) + patience }

    /// How long until the next attempt.
    var pause: Duration { max(.zero, nextAttempt - .now) }

    /// The last failure, while it is too early for another attempt.
    var refusal: DatabaseError? { pause > .zero ? error : nil }

    mutating func goesOn(_ error: DatabaseError) {
        since = since ?? .now
        self.error = error
        failures += 1
        let longest = min(50 << min(failures, 6), 2_000)
        nextAttempt = .now + .milliseconds(Int.random(in: longest / 2...longest))
    }

    mutating func isOver() { self = PostgreSQLOutage() }
}
