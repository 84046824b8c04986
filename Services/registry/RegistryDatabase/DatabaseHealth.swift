public import ServiceKit
internal import Synchronization

extension Database {
    /// Why nobody should be sent to this database's registry; `nil` while it answers.
    ///
    /// - Parameter limit: how long the database may take. Whoever asks hears by then, whatever it is doing: one that stands
    ///   still is not there for anybody.
    public func fault(within limit: Duration = .seconds(2)) async -> HealthFault? {
        let verdict = FirstVerdict()
        let question = Task {
            do {
                let answers = try await read(for: Waiter(patience: limit)) {
                    try $0.query("SELECT 1", []) { $0.integer(0) }
                }
                verdict.give(answers.isEmpty ? HealthFault("EMPTY") : nil)
            } catch {
                verdict.give((error as? DatabaseError)?.code == .timedOut ? .stalled : HealthFault("DATABASE"))
            }
        }
        let clock = Task {
            // The waiter ends a wait for a connection; this is for a connection that stands still itself.
            try? await Task.sleep(for: limit)
            verdict.give(.stalled)
        }
        defer {
            clock.cancel()
            question.cancel()
        }
        return await verdict.value
    }
}

extension HealthFault {
    fileprivate static let stalled = HealthFault("DATABASE STALLED", details: "The database did not answer in time.")
}

/// What is said first counts.
private final class FirstVerdict: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<HealthFault?, Never>)
        case given(HealthFault?)
    }

    private let state = Mutex(State.open)

    var value: HealthFault? {
        get async {
            await withCheckedContinuation { continuation in
                let given: HealthFault?? = state.withLock { state in
                    if case .given(let fault) = state { return .some(fault) }
                    state = .awaited(continuation)
                    return nil
                }
                if let given { continuation.resume(returning: given) }
            }
        }
    }

    func give(_ fault: HealthFault?) {
        let waiting: CheckedContinuation<HealthFault?, Never>? = state.withLock { state in
            switch state {
            case .given: return nil
            case .open:
                state = .given(fault)
                return nil
            case .awaited(let continuation):
                state = .given(fault)
                return continuation
            }
        }
        waiting?.resume(returning: fault)
    }
}
