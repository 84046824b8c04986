import Synchronization

/// Counts calls from anywhere.
final class Counter: Sendable {
    private let count = Atomic(0)

    /// 1 at the first call.
    func next() -> Int { count.add(1, ordering: .relaxed).newValue }

    func add(_ amount: Int) { count.add(amount, ordering: .relaxed) }

    func raise(to other: Int) { count.max(other, ordering: .relaxed) }

    var value: Int { count.load(ordering: .relaxed) }
}
