internal import Synchronization

/// Makes a call once for all who want its result at the same time: whoever comes while it is under way waits for that one.
/// For questions to remote stores that many ask together, as when one image is registered or started everywhere at once.
///
/// Nothing is remembered: who comes after the answer asks anew. A failure is everybody's. The call goes on as long as
/// anybody waits for it, and is cancelled when the last one gave up.
public final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private typealias Waiter = CheckedContinuation<Result<Value, StoreError>, Never>

    private struct Flight {
        var number: Int
        var task: Task<Void, Never>?
        var waiters: [Int: Waiter]
    }

    private struct State {
        var flights: [Key: Flight] = [:]
        /// Names flights and those who wait for them.
        var lastNumber = 0

        mutating func nextNumber() -> Int {
            lastNumber += 1
            return lastNumber
        }
    }

    private let state = Mutex(State())

    public init() {}

    /// - Parameters:
    ///   - key: Says which calls are the same.
    ///   - call: What bounds its own time.
    /// - Throws: what `call` throws; `unavailable` where the caller was cancelled.
    public func value(
        of key: Key,
        _ call: @escaping @Sendable () async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let ticket = state.withLock { $0.nextNumber() }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                join(key, ticket, waiter, call)
                // Who was cancelled before it waited was not found then.
                if Task.isCancelled { leave(key, ticket) }
            }
        } onCancel: {
            leave(key, ticket)
        }
        return try result.get()
    }

    /// How many wait for a call.
    package func waiterCount(of key: Key) -> Int { state.withLock { $0.flights[key]?.waiters.count ?? 0 } }

    private func join(
        _ key: Key,
        _ ticket: Int,
        _ waiter: Waiter,
        _ call: @escaping @Sendable () async throws(StoreError) -> Value
    ) {
        let number = state.withLock { state -> Int? in
            guard state.flights[key] == nil else {
                state.flights[key]?.waiters[ticket] = waiter
                return nil
            }
            let number = state.nextNumber()
            state.flights[key] = Flight(number: number, waiters: [ticket: waiter])
            return number
        }
        guard let number else { return }
        // Unstructured: it is for all who wait, not for the one who came first.
        let task = Task { self.land(key, number, await Self.outcome(of: call)) }
        let isWanted = state.withLock { state in
            guard state.flights[key]?.number == number else { return false }
            state.flights[key]?.task = task
            return true
        }
        if !isWanted { task.cancel() }
    }

    private func leave(_ key: Key, _ ticket: Int) {
        let (waiter, task) = state.withLock { state -> (Waiter?, Task<Void, Never>?) in
            guard let waiter = state.flights[key]?.waiters.removeValue(forKey: ticket) else { return (nil, nil) }
            guard state.flights[key]?.waiters.isEmpty == true else { return (waiter, nil) }
            return (waiter, state.flights.removeValue(forKey: key)?.task)
        }
        task?.cancel()
        waiter?.resume(returning: .failure(StoreError(.unavailable, "The question to the store was given up")))
    }

    private func land(_ key: Key, _ number: Int, _ result: Result<Value, StoreError>) {
        let waiters = state.withLock { state -> [Int: Waiter] in
            guard state.flights[key]?.number == number else { return [:] }
            return state.flights.removeValue(forKey: key)?.waiters ?? [:]
        }
        for waiter in waiters.values { waiter.resume(returning: result) }
    }

    private static func outcome(
        of call: @Sendable () async throws(StoreError) -> Value
    ) async -> Result<Value, StoreError> {
        do throws(StoreError) {
            return .success(try await call())
        } catch {
            return .failure(error)
        }
    }
}
