internal import CoreMetrics

/// What is told of one registry: `registry_endpoint_up`, and `registry_exchanges` by outcome.
struct EndpointMetrics: Sendable {
    private let up: Meter
    private let exchanges: [EndpointRoster.Outcome: Counter]

    init(_ endpoint: RegistryEndpoint, factory: any MetricsFactory) {
        let name = endpoint.description
        up = Meter(label: "registry_endpoint_up", dimensions: [("endpoint", name)], factory: factory)
        up.set(1)
        exchanges = Dictionary(
            uniqueKeysWithValues: EndpointRoster.Outcome.allCases.map { outcome in
                let dimensions = [("endpoint", name), ("outcome", outcome.rawValue)]
                return (outcome, Counter(label: "registry_exchanges", dimensions: dimensions, factory: factory))
            }
        )
    }

    func record(_ outcome: EndpointRoster.Outcome) { exchanges[outcome]?.increment() }

    func record(isUp: Bool) { up.set(isUp ? 1 : 0) }
}
