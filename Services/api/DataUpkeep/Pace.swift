/// Lets so many bytes pass in a second, on an average that is never exceeded.
public actor Pace {
    private let bytesPerSecond: Int64?
    private var next = ContinuousClock.now

    /// - Parameter bytesPerSecond: `nil` for any number.
    public init(bytesPerSecond: Int64?) { self.bytesPerSecond = bytesPerSecond }

    /// Returns when the time of so many bytes is over.
    ///
    /// - Throws: `CancellationError`.
    public func pass(_ byteCount: Int) async throws {
        guard let bytesPerSecond else { return }
        let seconds = Double(byteCount) / Double(bytesPerSecond)
        next = max(next, .now) + .nanoseconds(Int64(seconds * 1e9))
        try await ContinuousClock().sleep(until: next)
    }
}
