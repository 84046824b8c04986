/// How often overloaded registries may be asked again: a fifth of the calls, and a few besides, so that repetitions do not
/// keep an overload alive.
struct RetryBudget {
    static let perCall = 0.2
    static let most = 50.0

    private var left = RetryBudget.most

    mutating func call() { left = min(Self.most, left + Self.perCall) }

    /// - Returns: `false` when there is nothing left.
    mutating func spend() -> Bool {
        guard left >= 1 else { return false }
        left -= 1
        return true
    }
}
