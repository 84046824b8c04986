internal import NIOCore
internal import Synchronization

/// What the connections of a run do, each one request after the other.
struct Load: Sendable {
    /// The next request, for whichever connection asks; `nil` ends the run. Called on any event loop.
    var next: @Sendable () -> ServiceRequest?
    /// No request begins after so long.
    var duration: TimeAmount
    /// How long one exchange may last.
    var timeout: TimeAmount
    /// Hears of every exchange, on any event loop.
    var ended: (@Sendable (ServiceRequest, Outcome) -> Void)?

    /// Every request once, in order, within the bound.
    static func once(
        _ requests: [ServiceRequest],
        within duration: TimeAmount,
        timeout: TimeAmount,
        ended: (@Sendable (ServiceRequest, Outcome) -> Void)? = nil
    ) -> Load {
        let position = Position()
        return Load(
            next: {
                let index = position.advance()
                return index < requests.count ? requests[index] : nil
            },
            duration: duration,
            timeout: timeout,
            ended: ended
        )
    }

    /// The requests in turn, from the first again after the last.
    static func repeating(_ requests: [ServiceRequest], for duration: TimeAmount, timeout: TimeAmount) -> Load {
        let position = Position()
        return Load(
            next: { requests.isEmpty ? nil : requests[position.advance() % requests.count] },
            duration: duration,
            timeout: timeout
        )
    }

    /// A counter that all connections share.
    final class Position: Sendable {
        private let value = Atomic<Int>(0)

        /// - Returns: 0, 1, 2, …
        func advance() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
    }
}
