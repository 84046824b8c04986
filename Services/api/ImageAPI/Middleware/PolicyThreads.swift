internal import Policy
internal import StoreLayer
internal import Synchronization

/// Threads for requests while rules ask other services: such a question blocks, and nobody else's work may wait for it.
final class PolicyThreads: TaskExecutor {
    /// One for each question that may be open, and some that no question keeps, for requests that ask nobody.
    private static let count = OpenQuestions.limit + 32

    /// Started when they are needed first, which mostly they never are.
    private let threads = Mutex<WorkerThreads?>(nil)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let threads = threads.withLock { threads in
            let started = threads ?? WorkerThreads(count: Self.count)
            threads = started
            return started
        }
        _ = threads.start { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
