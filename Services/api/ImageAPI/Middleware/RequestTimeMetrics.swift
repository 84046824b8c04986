internal import CoreMetrics
internal import RegistryContract

/// Where the time of requests goes: `request_time_seconds` by part. For each request the parts make up all of it.
struct RequestTimeMetrics: Sendable {
    private let own: Timer
    private let wire: Timer
    private let registry: Timer
    private let database: Timer

    init(factory: any MetricsFactory = MetricsSystem.factory) {
        func timer(_ part: String) -> Timer {
            Timer(label: "request_time", dimensions: [("part", part)], factory: factory)
        }
        own = timer("api")
        wire = timer("wire")
        registry = timer("registry")
        database = timer("database")
    }

    /// - Parameters:
    ///   - duration: from the request's head to its answer's.
    ///   - share: what of it the registry took.
    func record(_ duration: Duration, share: RegistryShare.Parts) {
        // Exchanges of one request that overlap count for more than it lasted.
        own.recordNanoseconds(max(.zero, duration - share.sum).nanoseconds)
        wire.recordNanoseconds(share.wire.nanoseconds)
        registry.recordNanoseconds(share.registry.nanoseconds)
        database.recordNanoseconds(share.database.nanoseconds)
    }
}

extension Duration {
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
