internal import StoreLayer
internal import Synchronization

/// Threads for requests whose rules ask other services: such a question blocks, and nobody else's work may wait for it.
final class PolicyThreads: TaskExecutor {
    /// So many questions are open at a time; more requests wait for theirs to be asked.
    private static let count = 64

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
