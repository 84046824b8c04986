/// Work that waits for a connection, together with the caller who waits for its result.
///
/// Ends with exactly one call of `succeed` or `fail`.
protocol DatabaseJob: AnyObject, Sendable {
    /// When it came.
    var joined: MonotonicTime { get }
    /// When it is no longer waited for, nor tried again.
    var deadline: MonotonicTime { get }
    var waiter: Waiter? { get }
    /// Told of time that its body spent on other things than statements.
    func spent(_ duration: Duration)
    /// Keeps the result for `succeed`; may be called again after a transaction that came to nothing.
    func run(on connection: any SQLConnection) throws
    func succeed()
    func fail(_ error: any Error)
}

/// `@unchecked Sendable`: `value` and `bodyTime` are touched only by the thread that took the job from its line, under whose lock it
/// came.
final class ContinuedJob<Value: Sendable>: DatabaseJob, @unchecked Sendable {
    let joined = MonotonicTime.now
    let deadline: MonotonicTime
    let waiter: Waiter?
    private let body: @Sendable (any SQLConnection) throws -> Value
    private let continuation: CheckedContinuation<Value, any Error>
    private var value: Value?
    private var bodyTime = Duration.zero

    /// - Parameter patience: how long it may wait at most.
    init(
        patience: Duration,
        waiter: Waiter?,
        continuation: CheckedContinuation<Value, any Error>,
        body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) {
        let latest = joined + patience
        deadline = waiter.map { min($0.deadline, latest) } ?? latest
        self.waiter = waiter
        self.continuation = continuation
        self.body = body
    }

    func run(on connection: any SQLConnection) throws {
        value = nil
        value = try body(connection)
    }

    func spent(_ duration: Duration) { bodyTime += max(.zero, duration) }

    func succeed() {
        guard let value else { preconditionFailure("a job succeeds after it has run") }
        tellTime()
        continuation.resume(returning: value)
    }

    func fail(_ error: any Error) {
        tellTime()
        continuation.resume(throwing: error)
    }

    private func tellTime() { waiter?.waited(MonotonicTime.now - joined - bodyTime) }
}
