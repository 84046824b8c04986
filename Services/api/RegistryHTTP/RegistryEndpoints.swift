internal import CoreMetrics
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import ServiceKit
internal import Synchronization

/// The registries and the connections to them: chooses one for each exchange, takes those out that do not answer, and
/// probes them until they do.
final class RegistryEndpoints: Sendable {
    private static let probeTimeout = TimeAmount.seconds(2)

    let endpoints: [RegistryEndpoint]
    private let group: any EventLoopGroup
    private let logger: Logger
    /// A pool per endpoint for every event loop, each touched on its own loop only.
    private let pools: [ObjectIdentifier: NIOLoopBound<[RegistryConnectionPool]>]
    private let roster: Mutex<EndpointRoster>
    private let metrics: [EndpointMetrics]
    private let isShutDown = Atomic(false)

    init(
        _ endpoints: [RegistryEndpoint],
        limits: RegistryConnectionLimits,
        tls: TLSContext?,
        group: any EventLoopGroup,
        logger: Logger,
        metrics: any MetricsFactory
    ) async throws {
        self.endpoints = endpoints
        self.group = group
        self.logger = logger
        self.metrics = endpoints.map { EndpointMetrics($0, factory: metrics) }
        roster = Mutex(EndpointRoster(count: endpoints.count))
        var pools: [ObjectIdentifier: NIOLoopBound<[RegistryConnectionPool]>] = [:]
        for eventLoop in group.makeIterator() {
            pools[ObjectIdentifier(eventLoop)] = try await eventLoop.submit {
                NIOLoopBound(
                    endpoints.map {
                        RegistryConnectionPool(endpoint: $0, limits: limits, tls: tls, eventLoop: eventLoop)
                    },
                    eventLoop: eventLoop
                )
            }.get()
        }
        self.pools = pools
    }

    /// The one for the next exchange; what came of it has to be told to ``end(_:_:)``.
    func begin(avoiding tried: Set<Int>) -> Int { roster.withLock { $0.begin(avoiding: tried) } }

    func end(_ index: Int, _ outcome: EndpointRoster.Outcome) {
        metrics[index].record(outcome)
        let action = roster.withLock { $0.end(index, outcome, jitter: .random(in: 0.5...1)) }
        act(on: index, action, because: outcome.rawValue)
    }

    func exchange(_ head: HTTPRequestHead, _ body: ByteBuffer, with index: Int, within time: Duration) async throws
        -> RegistryAnswer
    {
        try await exchange(head, body, with: index, within: TimeAmount(time)).get()
    }

    private func exchange(_ head: HTTPRequestHead, _ body: ByteBuffer, with index: Int, within time: TimeAmount)
        -> EventLoopFuture<RegistryAnswer>
    {
        let eventLoop = group.any()
        guard let pools = pools[ObjectIdentifier(eventLoop)] else {
            preconditionFailure("an event loop group gives out its own loops")
        }
        let deadline = NIODeadline.now() + time
        // Requests are served on their event loops, and so go on from here without a detour.
        guard !eventLoop.inEventLoop else { return pools.value[index].exchange(head, body, until: deadline) }
        return eventLoop.flatSubmit { pools.value[index].exchange(head, body, until: deadline) }
    }

    // MARK: Out and back

    private func act(on index: Int, _ action: EndpointRoster.Action, because reason: String) {
        guard action != .none else { return }
        let metadata: Logger.Metadata = ["endpoint": "\(endpoints[index])"]
        switch action {
        case .none: break
        case .takeOut(let pause):
            metrics[index].record(isUp: false)
            logger.warning(
                "A registry is taken out of service until it is healthy",
                metadata: metadata.merging(["reason": "\(reason)"]) { $1 }
            )
            probe(index, after: pause)
        case .probeAgain(let pause):
            probe(index, after: pause)
        case .bringBack:
            metrics[index].record(isUp: true)
            logger.notice("A registry is back in service", metadata: metadata)
        }
    }

    private func probe(_ index: Int, after pause: Duration) {
        guard !isShutDown.load(ordering: .relaxed) else { return }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/healthcheck", headers: ["host": "registry"])
        group.any().flatScheduleTask(in: TimeAmount(pause)) {
            self.exchange(head, ByteBuffer(), with: index, within: Self.probeTimeout)
        }.futureResult.whenComplete { result in
            // Whatever else was answered, or went wrong, is no sign of health.
            let isHealthy = (try? result.get().status) == 200
            let jitter = Double.random(in: 0.5...1)
            self.act(
                on: index,
                self.roster.withLock { $0.probed(index, isHealthy: isHealthy, jitter: jitter) },
                because: "probe"
            )
        }
    }

    /// Closes idle connections and ends the probes. Running exchanges end by themselves or by their time-out.
    func shutdown() async {
        isShutDown.store(true, ordering: .relaxed)
        for eventLoop in group.makeIterator() {
            guard let pools = pools[ObjectIdentifier(eventLoop)] else { continue }
            // The loop may be gone already; then so are the connections.
            try? await eventLoop.submit { pools.value.forEach { $0.closeAll() } }.get()
        }
    }
}
