internal import Glibc

/// Serves writes on the one connection that writes, until the line is closed.
///
/// Writes that wait at the same time share a commit, and so one sync of the disk: each runs in a savepoint of one
/// outer transaction, so that one that fails undoes only itself. Nobody gets an answer, not even a failure (which
/// another's uncommitted rows may have caused), before the outer transaction has been committed.
struct SQLiteWriter {
    let connection: SQLiteConnection
    let line: WaitingLine
    /// The most writes that share a commit.
    var groupSize = 64

    func serve() {
        while line.waitForJob() {
            do {
                // Before the jobs are taken: while another process holds the lock they stay in line, where their time
                // runs out, and more may join the group.
                try connection.control("BEGIN IMMEDIATE")
            } catch let error as DatabaseError where error.code == .busy {
                // SQLite has waited already, but for some kinds of busy it does not.
                usleep(1_000)
                continue
            } catch {
                for job in line.take(atMost: groupSize) { job.fail(error) }
                continue
            }
            let jobs = line.take(atMost: groupSize)
            switch jobs.count {
            case 0: connection.rollBack()
            case 1: writeAlone(jobs[0], hasBegun: true)
            default: writeTogether(jobs)
            }
        }
    }

    /// In a transaction of its own, again and again while another process is in the way.
    private func writeAlone(_ job: any DatabaseJob, hasBegun: Bool = false) {
        var hasBegun = hasBegun
        while true {
            do {
                if !hasBegun { try connection.control("BEGIN IMMEDIATE") }
                try connection.perform(job)
                try job.waiter?.require()
                try connection.control("COMMIT")
                return job.succeed()
            } catch let error as DatabaseError where error.code == .busy && MonotonicTime.now < job.deadline {
                connection.rollBack()
                hasBegun = false
            } catch {
                connection.rollBack()
                return job.fail(error)
            }
        }
    }

    /// In the transaction that has begun.
    private func writeTogether(_ jobs: [any DatabaseJob]) {
        var outcomes: [Result<Void, any Error>] = []
        for (index, job) in jobs.enumerated() {
            let outcome = Result { try writeInSavepoint(job) }
            outcomes.append(outcome)
            // Some failures (a full disk) end the outer transaction too. Who caused that knows why; the others try
            // alone.
            guard connection.isInTransaction else {
                for (other, job) in jobs.enumerated() where other != index { writeAlone(job) }
                return settle(job, outcome)
            }
        }
        // Somebody may have waited for the first of them no longer than the last of them took.
        guard zip(jobs, outcomes).allSatisfy({ $1.isFailure || $0.waiter?.isThere ?? true }) else {
            connection.rollBack()
            for job in jobs { writeAlone(job) }
            return
        }
        do {
            try connection.control("COMMIT")
            for (job, outcome) in zip(jobs, outcomes) { settle(job, outcome) }
        } catch let error as DatabaseError where error.concernsOneJob {
            connection.rollBack()
            for job in jobs { writeAlone(job) }
        } catch {
            connection.rollBack()
            for job in jobs { job.fail(error) }
        }
    }

    private func writeInSavepoint(_ job: any DatabaseJob) throws {
        try connection.control("SAVEPOINT job")
        do {
            try connection.perform(job)
            try connection.control("RELEASE job")
        } catch {
            undoSavepoint()
            throw error
        }
    }

    private func undoSavepoint() {
        // Where SQLite has rolled back everything there is no savepoint left to return to.
        guard connection.isInTransaction else { return }
        do {
            try connection.control("ROLLBACK TO job")
            try connection.control("RELEASE job")
        } catch {
            connection.rollBack()
        }
    }

    private func settle(_ job: any DatabaseJob, _ outcome: Result<Void, any Error>) {
        switch outcome {
        case .success: job.succeed()
        case .failure(let error): job.fail(error)
        }
    }
}

extension Result {
    fileprivate var isFailure: Bool {
        if case .failure = self { true } else { false }
    }
}

extension DatabaseError {
    /// Whether a commit that failed so may have failed for one of several jobs only: constraints may be checked late.
    fileprivate var concernsOneJob: Bool {
        switch code {
        case .foreignKeyViolation, .uniqueViolation, .busy: true
        case .timedOut, .overLimit, .overloaded, .outcomeUnknown, .unstorableText, .readOnly, .full, .corrupt,
            .unavailable, .other:
            false
        }
    }
}
