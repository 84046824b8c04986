internal import Synchronization

/// Lets a few in at a time; more wait for a while, and too many are turned away.
final class Turnstile: Sendable {
    private let limit: Int
    private let waitingLimit: Int
    private let state = Mutex(State())

    private struct State {
        var insideCount = 0
        var lastTicket = 0
        /// In the order in which they came.
        var waiting: [(ticket: Int, waiter: CheckedContinuation<Bool, Never>)] = []
    }

    init(limit: Int, waitingLimit: Int) {
        precondition(limit > 0 && waitingLimit >= 0)
        self.limit = limit
        self.waitingLimit = waitingLimit
    }

    /// - Returns: Whether the caller is inside, and so has to ``leave()``.
    func enter(until deadline: ContinuousClock.Instant) async -> Bool {
        let isInside: Bool? = state.withLock { state in
            if state.insideCount < limit {
                state.insideCount += 1
                return true
            }
            return state.waiting.count < waitingLimit ? nil : false
        }
        if let isInside { return isInside }
        return await withCheckedContinuation { waiter in
            let ticket = state.withLock { state -> Int? in
                // Somebody may have left meanwhile, and others come.
                if state.insideCount < limit {
                    state.insideCount += 1
                    return nil
                }
                state.lastTicket += 1
                state.waiting.append((state.lastTicket, waiter))
                return state.lastTicket
            }
            guard let ticket else { return waiter.resume(returning: true) }
            // Ends by itself; whoever was let in before it does is not found any more.
            Task {
                try? await Task.sleep(until: deadline)
                giveUp(ticket)
            }
        }
    }

    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            // Whoever waits longest takes the place.
            guard !state.waiting.isEmpty else {
                state.insideCount -= 1
                return nil
            }
            return state.waiting.removeFirst().waiter
        }
        next?.resume(returning: true)
    }

    private func giveUp(_ ticket: Int) {
        let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard let index = state.waiting.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            return state.waiting.remove(at: index).waiter
        }
        waiter?.resume(returning: false)
    }
}
