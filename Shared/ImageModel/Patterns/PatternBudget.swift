/// What matching patterns may take altogether for one request: patterns and texts come from clients, and what a match
/// takes grows with both.
public struct PatternBudget: Sendable {
    private var left: Int

    /// - Parameter steps: A step takes a few nanoseconds.
    public init(steps: Int = 2_000_000) { left = steps }

    /// Whether the text holds a match; `nil` where that would take more than is left.
    mutating func finds(_ pattern: LinearPattern, in text: String) -> Bool? {
        let cost = pattern.cost(of: text)
        guard cost <= left else { return nil }
        left -= cost
        return pattern.isFound(in: text)
    }
}
