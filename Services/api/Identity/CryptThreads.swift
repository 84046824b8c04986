internal import Glibc
internal import ServiceKit

/// A few threads for password checks, which take tens of milliseconds each and must not hold up anything else.
///
/// Threads start when there is work for them and end with their owner. Checks wait in lanes that take turns, so that
/// one that asks for many does not keep the others waiting.
final class CryptThreads: Sendable {
    private let queue: Queue

    /// - Parameters:
    ///   - threadLimit: How many checks run at once.
    ///   - queueLimit: How many more may wait.
    init(threadLimit: Int, queueLimit: Int) {
        precondition(threadLimit > 0 && queueLimit > 0)
        queue = Queue(threadLimit: threadLimit, queueLimit: queueLimit)
    }

    deinit { queue.close() }

    /// Exactly one of the two closures of the job is called: `run` by a thread, or `drop` when too many wait, which may
    /// be now or when others come.
    func submit(_ job: Job, in lane: Lane) {
        switch queue.submit(job, lane) {
        case .added: break
        case .displaced(let other): other.drop()
        case .refused: job.drop()
        }
    }

    struct Job: Sendable {
        var run: @Sendable () -> Void
        var drop: @Sendable () -> Void
    }

    /// Whose checks wait for one another. Names that are not in the password file share a lane at each address: a client
    /// that makes names up gets no more turns by it.
    struct Lane: Sendable, Hashable {
        var peer: Peer
        var user: String?
    }
}

/// Sendable because everything that changes is touched under `lock` alone.
private final class Queue: @unchecked Sendable {
    private let threadLimit: Int
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let hasWork = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: FairQueue<CryptThreads.Lane, CryptThreads.Job>
    private var threadCount = 0
    private var idleCount = 0
    private var isClosed = false

    init(threadLimit: Int, queueLimit: Int) {
        self.threadLimit = threadLimit
        jobs = FairQueue(limit: queueLimit)
        pthread_mutex_init(lock, nil)
        pthread_cond_init(hasWork, nil)
    }

    deinit {
        pthread_cond_destroy(hasWork)
        pthread_mutex_destroy(lock)
        hasWork.deallocate()
        lock.deallocate()
    }

    func submit(
        _ job: CryptThreads.Job,
        _ lane: CryptThreads.Lane
    ) -> FairQueue<CryptThreads.Lane, CryptThreads.Job>.Addition {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        if jobs.count >= idleCount, threadCount < threadLimit, startThread() { threadCount += 1 }
        guard threadCount > 0 else { return .refused }
        let addition = jobs.add(job, in: lane)
        pthread_cond_signal(hasWork)
        return addition
    }

    func close() {
        pthread_mutex_lock(lock)
        isClosed = true
        pthread_cond_broadcast(hasWork)
        pthread_mutex_unlock(lock)
    }

    /// - Returns: `false` when the system has no thread to give.
    private func startThread() -> Bool {
        var thread = pthread_t()
        // Each thread holds the queue for as long as it runs.
        let queue = Unmanaged.passRetained(self)
        let result = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Queue>.fromOpaque(argument).takeRetainedValue().work()
                return nil
            },
            queue.toOpaque()
        )
        guard result == 0 else {
            queue.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private func work() {
        while let job = next() { job.run() }
    }

    private func next() -> CryptThreads.Job? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while jobs.isEmpty {
            if isClosed { return nil }
            idleCount += 1
            pthread_cond_wait(hasWork, lock)
            idleCount -= 1
        }
        return jobs.takeFirst()
    }
}
