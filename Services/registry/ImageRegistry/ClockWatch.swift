public import CoreMetrics
public import Logging
internal import Synchronization

/// Tells that clocks are apart before that does harm: `registry_clock_difference_seconds` by whose the other clock is, the
/// furthest of the last minute; and a warning, at most once a minute for each, from some seconds on.
///
/// Leases do not depend on it (``RegistryClock``), but an API whose clock is further from a registry's than signatures
/// allow is not served.
public final class ClockWatch: Sendable {
    enum Other: String, CaseIterable {
        /// Which sent a request; what the request took on its way is part of the difference.
        case api
        case database
    }

    private struct State {
        var since = ContinuousClock.now
        var furthest = Duration.zero
        var warnedAt: ContinuousClock.Instant?
    }

    static let tolerance = Duration.seconds(5)

    private let interval: Duration
    private let logger: Logger
    private let meters: [Other: Meter]
    private let states = Mutex<[Other: State]>([:])

    /// - Parameter interval: how long the furthest difference is told, and how often there is a warning at most.
    public init(
        logger: Logger,
        interval: Duration = .seconds(60),
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        self.logger = logger
        self.interval = interval
        meters = Dictionary(
            uniqueKeysWithValues: Other.allCases.map { other in
                let dimensions = [("to", other.rawValue)]
                return (
                    other, Meter(label: "registry_clock_difference_seconds", dimensions: dimensions, factory: metrics)
                )
            }
        )
    }

    /// - Parameters:
    ///   - difference: how far this machine's clock is ahead of the other.
    ///   - place: where the other clock is, for the log.
    func record(_ difference: Duration, to other: Other, at place: @autoclosure () -> String) {
        let now = ContinuousClock.now
        let (furthest, warns) = states.withLock { states in
            var state = states[other] ?? State()
            let isNew = now - state.since > interval
            if isNew { state.since = now }
            if isNew || difference.magnitude > state.furthest.magnitude { state.furthest = difference }
            let warns =
                difference.magnitude > Self.tolerance
                && state.warnedAt.map { now - $0 > interval } ?? true
            if warns { state.warnedAt = now }
            states[other] = state
            return (state.furthest, warns)
        }
        meters[other]?.set(furthest / .seconds(1))
        guard warns else { return }
        logger.warning(
            "This machine's clock and another's are apart: let both follow the same time",
            metadata: ["other": "\(other)", "place": "\(place())", "ahead.seconds": "\(difference / .seconds(1))"]
        )
    }
}

extension Duration {
    fileprivate var magnitude: Duration { self < .zero ? .zero - self : self }
}
