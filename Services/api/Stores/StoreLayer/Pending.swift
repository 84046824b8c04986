internal import Synchronization

/// The outcome of work that was started, for one taker.
public final class Pending<Value: Sendable, Failure: Error>: Sendable {
    private enum State {
        case running
        case awaited(CheckedContinuation<Result<Value, Failure>, Never>)
        case done(Result<Value, Failure>)
    }

    private let state = Mutex(State.running)

    init() {}

    /// Begins work in a task of its own, to which nobody's cancellation comes: a call that hangs in a store cannot be
    /// cancelled, and may have to be left to end by itself.
    public convenience init(_ work: @escaping @Sendable () async throws(Failure) -> Value) {
        self.init()
        Task {
            do throws(Failure) {
                complete(.success(try await work()))
            } catch {
                complete(.failure(error))
            }
        }
    }

    /// Suspends until the work is done.
    public func value() async throws(Failure) -> Value {
        let result = await withCheckedContinuation { continuation in
            let result: Result<Value, Failure>? = state.withLock { state in
                switch state {
                case .done(let result): return result
                case .running:
                    state = .awaited(continuation)
                    return nil
                case .awaited: preconditionFailure("one taker")
                }
            }
            if let result { continuation.resume(returning: result) }
        }
        return try result.get()
    }

    /// The first result counts.
    func complete(_ result: Result<Value, Failure>) {
        let taker: CheckedContinuation<Result<Value, Failure>, Never>? = state.withLock { state in
            switch state {
            case .running:
                state = .done(result)
                return nil
            case .awaited(let taker):
                state = .done(result)
                return taker
            case .done: return nil
            }
        }
        taker?.resume(returning: result)
    }
}

extension Pending where Failure == StoreError {
    /// Suspends until the work is done, for so long.
    ///
    /// - Parameter limit: `nil` waits for ever.
    /// - Throws: `timedOut`.
    public func value(within limit: Duration?) async throws(StoreError) -> Value {
        guard let limit else { return try await value() }
        let timer = Task {
            do {
                try await Task.sleep(for: limit)
                complete(.failure(StoreError(.timedOut, "The store did not answer in time")))
            } catch {
                // Cancelled: the work was quicker.
            }
        }
        defer { timer.cancel() }
        return try await value()
    }
}
