public import CoreMetrics
internal import Synchronization

/// The timers of one name. Each is made once: to find one among a factory's by its labels costs more than to record.
public final class TimerFamily: Sendable {
    /// More are found anew each time, so that what comes from requests cannot fill the memory.
    private static let limit = 1_000

    private let label: String
    private let dimensions: [String]
    private let factory: any MetricsFactory
    private let timers = Mutex<[[String]: Timer]>([:])

    /// - Parameters:
    ///   - label: of all of them.
    ///   - dimensions: the names of what tells them apart.
    public init(_ label: String, by dimensions: String..., factory: any MetricsFactory = MetricsSystem.factory) {
        self.label = label
        self.dimensions = dimensions
        self.factory = factory
    }

    /// - Parameter values: one for each dimension.
    public func record(_ duration: Duration, _ values: String...) {
        timer(values).recordNanoseconds(duration.nanoseconds)
    }

    private func timer(_ values: [String]) -> Timer {
        if let known = timers.withLock({ $0[values] }) { return known }
        let timer = Timer(label: label, dimensions: Array(zip(dimensions, values)), factory: factory)
        timers.withLock { timers in
            if timers.count < Self.limit { timers[values] = timer }
        }
        return timer
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
