internal import CoreMetrics
internal import RegistryContract

/// Where the time of exchanges goes: `exchange_time_seconds` by part.
struct ExchangeTimeMetrics: Sendable {
    private let own: Timer
    private let database: Timer

    init(factory: any MetricsFactory = MetricsSystem.factory) {
        own = Timer(label: "exchange_time", dimensions: [("part", "registry")], factory: factory)
        database = Timer(label: "exchange_time", dimensions: [("part", "database")], factory: factory)
    }

    func record(_ times: RegistryTimes) {
        own.recordNanoseconds(Self.nanoseconds(times.total - times.database))
        database.recordNanoseconds(Self.nanoseconds(times.database))
    }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000
    }
}
