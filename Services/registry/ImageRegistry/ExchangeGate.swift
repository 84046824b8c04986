internal import Synchronization

/// How many exchanges are in the registry, being read, waiting for the database or worked on. Bounded: what would be one
/// more is turned away at once, unread, which costs both sides the least.
final class ExchangeGate: Sendable {
    private let limit: Int
    private let count = Atomic(0)

    init(limit: Int) { self.limit = limit }

    /// - Returns: `false` when there is no room. Otherwise ``leave()`` has to follow.
    func enter() -> Bool {
        if count.add(1, ordering: .relaxed).newValue <= limit { return true }
        leave()
        return false
    }

    func leave() { count.subtract(1, ordering: .relaxed) }
}
