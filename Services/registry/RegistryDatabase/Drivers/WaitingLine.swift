internal import Glibc

/// Jobs that wait for a thread, first come, first served. Bounded in length and in time; threads block here, tasks do
/// not.
///
/// `@unchecked Sendable`: every property that changes is touched under `mutex` only.
final class WaitingLine: @unchecked Sendable {
    private let purpose: String
    private let limits: DatabaseLimits
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// Signalled when a job joins; workers wait here.
    private let arrival = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// Signalled when a job joins whose time is up before all others'; who refuses the late waits here.
    private let vigil = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// Signalled when a job joins that finds nobody idle; who would first have to connect waits here.
    private let need = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [any DatabaseJob] = []
    /// How many wait for a job and can begin with it at once.
    private var idle = 0
    private var calls = 0
    private var isClosed = false
    /// Until when who refuses the late sleeps, unless it is woken.
    private var vigilEnd = MonotonicTime(nanoseconds: .max)

    /// - Parameters:
    ///   - purpose: what is waited for, as the log shall say it.
    ///   - limits: how many may wait, and how long.
    init(for purpose: String, limits: DatabaseLimits) {
        self.purpose = purpose
        self.limits = limits
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(arrival, &attributes)
        pthread_cond_init(vigil, &attributes)
        pthread_cond_init(need, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(need)
        pthread_cond_destroy(vigil)
        pthread_cond_destroy(arrival)
        pthread_mutex_destroy(mutex)
        need.deallocate()
        vigil.deallocate()
        arrival.deallocate()
        mutex.deallocate()
    }

    /// Waits for `body` to be run on a connection, without blocking a thread.
    func run<T: Sendable>(
        for waiter: Waiter?,
        _ body: @escaping @Sendable (any SQLConnection) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            join(ContinuedJob(patience: limits.patience, waiter: waiter, continuation: continuation, body: body))
        }
    }

    private func join(_ job: any DatabaseJob) {
        let refusal: DatabaseError? = locked {
            if isClosed { return .closed }
            guard jobs.count < limits.waiting else {
                return DatabaseError(.overloaded, "\(limits.waiting) jobs wait for \(purpose) already.")
            }
            jobs.append(job)
            announce(job)
            return nil
        }
        if let refusal { job.fail(refusal) }
    }

    /// Puts a job that was taken out before all others again.
    func putBack(_ job: any DatabaseJob) {
        let isRefused = locked {
            if isClosed { return true }
            jobs.insert(job, at: 0)
            announce(job)
            return false
        }
        if isRefused { job.fail(DatabaseError.closed) }
    }

    /// Called with the lock held.
    private func announce(_ job: any DatabaseJob) {
        pthread_cond_signal(arrival)
        if jobs.count > idle { pthread_cond_signal(need) }
        if job.deadline < vigilEnd { pthread_cond_signal(vigil) }
    }

    /// Waits for a job and takes it out.
    ///
    /// - Returns: `nil` once the line is closed.
    func next() -> (any DatabaseJob)? {
        locked { awaitArrival() ? jobs.removeFirst() : nil }
    }

    enum Arrival {
        case job(any DatabaseJob)
        /// The time is up.
        case nothing
        /// By ``wake()``.
        case woken
        case closed
    }

    /// Waits for a job until a moment, and takes it out.
    func next(until end: MonotonicTime) -> Arrival {
        locked {
            idle += 1
            defer { idle -= 1 }
            let before = calls
            var time = end.systemTime
            while jobs.isEmpty, !isClosed, calls == before {
                if pthread_cond_timedwait(arrival, mutex, &time) == ETIMEDOUT { break }
            }
            if isClosed { return .closed }
            if !jobs.isEmpty { return .job(jobs.removeFirst()) }
            return calls == before ? .nothing : .woken
        }
    }

    /// Makes one of those who wait in ``next(until:)`` look up.
    func wake() {
        locked {
            calls += 1
            pthread_cond_signal(arrival)
        }
    }

    enum Need {
        case job
        /// The time is up.
        case nothing
        case closed
    }

    /// Waits until there are more jobs than idle workers, or until a moment; takes none out.
    func waitForNeed(until end: MonotonicTime) -> Need {
        locked {
            var time = end.systemTime
            while jobs.count <= idle, !isClosed {
                if pthread_cond_timedwait(need, mutex, &time) == ETIMEDOUT { break }
            }
            if isClosed { return .closed }
            return jobs.count > idle ? .job : .nothing
        }
    }

    /// Waits until a moment, or until something may have changed.
    func rest(until end: MonotonicTime) {
        locked {
            guard !isClosed else { return }
            var time = end.systemTime
            pthread_cond_timedwait(need, mutex, &time)
        }
    }

    /// Waits until a job is there, and leaves it there.
    ///
    /// - Returns: `false` once the line is closed.
    func waitForJob() -> Bool {
        locked { awaitArrival() }
    }

    /// Takes out what is there, without waiting.
    func take(atMost count: Int) -> [any DatabaseJob] {
        locked {
            let taken = Array(jobs.prefix(count))
            jobs.removeFirst(taken.count)
            return taken
        }
    }

    /// Refuses all who wait, and all who come later.
    func close() {
        let refused: [any DatabaseJob] = locked {
            isClosed = true
            pthread_cond_broadcast(arrival)
            pthread_cond_broadcast(need)
            pthread_cond_broadcast(vigil)
            defer { jobs = [] }
            return jobs
        }
        for job in refused { job.fail(DatabaseError.closed) }
    }

    /// Refuses jobs whose time is up, until the line is closed. For a thread of its own: the workers may all be busy.
    ///
    /// Most have the same patience, so that this is one wake-up in that time, and none while the line is empty.
    ///
    /// - Parameters:
    ///   - crowdedAfter: how long the first in line may wait before `onCrowded` is called, and again after as long.
    ///   - onCrowded: may add a worker.
    func refuseTheLate(crowdedAfter: Duration? = nil, onCrowded: () -> Void = {}) {
        while true {
            let found: (late: [any DatabaseJob], isCrowded: Bool)? = locked {
                if isClosed { return nil }
                awaitTrouble(crowdedAfter)
                let now = MonotonicTime.now
                let late = jobs.filter { $0.deadline <= now }
                if !late.isEmpty { jobs.removeAll { $0.deadline <= now } }
                let wait = jobs.first.map { now - $0.joined }
                return (late, crowdedAfter.map { wait ?? .zero >= $0 } ?? false)
            }
            guard let found else { return }
            for job in found.late {
                job.fail(DatabaseError(.timedOut, "Waited \(job.deadline - job.joined) for \(purpose)."))
            }
            if found.isCrowded { onCrowded() }
        }
    }

    /// Waits until the time of some job may be up, or the line may be crowded. Called with the lock held.
    private func awaitTrouble(_ crowdedAfter: Duration?) {
        guard var end = jobs.lazy.map(\.deadline).min() else {
            vigilEnd = MonotonicTime(nanoseconds: .max)
            pthread_cond_wait(vigil, mutex)
            return
        }
        if let crowdedAfter { end = min(end, .now + crowdedAfter) }
        vigilEnd = end
        var time = end.systemTime
        pthread_cond_timedwait(vigil, mutex, &time)
    }

    /// Called with the lock held.
    private func awaitArrival() -> Bool {
        while jobs.isEmpty, !isClosed { pthread_cond_wait(arrival, mutex) }
        return !isClosed
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}

extension DatabaseError {
    static let closed = DatabaseError(.unavailable, "The database is closed.")
}
