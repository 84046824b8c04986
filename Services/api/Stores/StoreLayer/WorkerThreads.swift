internal import Glibc
internal import NIOCore

/// A fixed number of threads for work that blocks or computes for long, which must never hold up a thread of the Swift
/// runtime. Work begins in the order it was given; every piece that was given is done, also when its taker was cancelled.
public final class WorkerThreads: Sendable {
    private let jobs = JobQueue()

    public init(count: Int) {
        precondition(count > 0)
        for _ in 0..<count {
            var thread = pthread_t()
            let context = Unmanaged.passRetained(jobs).toOpaque()
            let result = pthread_create(
                &thread,
                nil,
                { context in
                    guard let context else { return nil }
                    Unmanaged<JobQueue>.fromOpaque(context).takeRetainedValue().work()
                    return nil
                },
                context
            )
            // Happens while the process starts; without threads there is nothing to start.
            precondition(result == 0, "the system gives no thread: \(result)")
            pthread_detach(thread)
        }
    }

    deinit { jobs.close() }

    /// Gives work to the next free thread and goes on.
    public func start<Value: Sendable, Failure: Error>(
        _ work: @escaping @Sendable () throws(Failure) -> Value
    ) -> Pending<Value, Failure> {
        let pending = Pending<Value, Failure>()
        submit {
            do throws(Failure) {
                pending.complete(.success(try work()))
            } catch {
                pending.complete(.failure(error))
            }
        }
        return pending
    }

    /// Has work done and waits for it, also in a cancelled task: cleaning up must not be skipped.
    public func run<Value: Sendable, Failure: Error>(
        _ work: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        try await start(work).value()
    }

    /// As ``run(_:)``, for so long: what takes longer is done to its end without anybody waiting, and counts as timed out.
    ///
    /// - Parameter limit: `nil` waits for ever.
    public func run<Value: Sendable>(
        within limit: Duration?,
        _ work: @escaping @Sendable () throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        try await start(work).value(within: limit)
    }

    func submit(_ job: @escaping @Sendable () -> Void) { jobs.add(job) }
}

/// Jobs in order, for threads that wait for them.
///
/// Sendable because `jobs` and `isClosed` are only touched with `mutex` held, and the pointers never change.
private final class JobQueue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrival = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs = CircularBuffer<@Sendable () -> Void>()
    private var isClosed = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(arrival, nil)
    }

    deinit {
        pthread_cond_destroy(arrival)
        pthread_mutex_destroy(mutex)
        arrival.deallocate()
        mutex.deallocate()
    }

    func add(_ job: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(mutex)
        jobs.append(job)
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(arrival)
    }

    /// Threads leave once the jobs are done.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_mutex_unlock(mutex)
        pthread_cond_broadcast(arrival)
    }

    func work() {
        while let job = next() { job() }
    }

    private func next() -> (@Sendable () -> Void)? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while jobs.isEmpty && !isClosed { pthread_cond_wait(arrival, mutex) }
        return jobs.popFirst()
    }
}
