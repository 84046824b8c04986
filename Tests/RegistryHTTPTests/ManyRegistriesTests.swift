import ImageModel
import RegistryContract
import RegistryHTTP
import ServiceKit
import Testing
import WireJSON

/// Registries over one database; which of them answers must make no difference to anybody.
@Suite("Many registries")
struct ManyRegistriesTests {
    private func withTwo(
        _ first: RegistryUnderTest,
        _ second: RegistryUnderTest,
        _ body: ([Int]) async throws -> Void
    ) async throws {
        let ports = [FreePort.next(), FreePort.next()]
        try await first.serve(at: .tcp(host: "127.0.0.1", port: ports[0])) {
            try await second.serve(at: .tcp(host: "127.0.0.1", port: ports[1])) { try await body(ports) }
        }
    }

    private func endpoints(_ ports: [Int]) -> [RegistryEndpoint] { ports.map { .tcp(host: "127.0.0.1", port: $0) } }

    @Test("calls are spread over all of them")
    func spread() async throws {
        try await RegistryUnderTest.withDatabase { registry in
            try await withTwo(registry, registry) { ports in
                let metrics = PrometheusMetrics()
                try await withClient(endpoints(ports), metrics: metrics) { client in
                    for _ in 0..<20 { _ = try await client.call(CreateImage(image: .sample())) }
                    #expect(try await registry.count() == 20)
                    for port in ports {
                        let line = #"registry_exchanges{endpoint="http://127.0.0.1:\#(port)",outcome="answered"} 10"#
                        #expect(metrics.exposition().contains(line))
                    }
                }
            }
        }
    }

    @Test(
        "a write that is repeated on another registry is applied once, wherever the first was cut",
        arguments: [FaultyProxy.Direction.request, .answer]
    )
    func repeatedElsewhere(_ direction: FaultyProxy.Direction) async throws {
        try await RegistryUnderTest.withDatabase { registry in
            try await withTwo(registry, registry) { ports in
                try await FaultyProxy.with(upstream: ports[0]) { proxy in
                    try await withClient(port: proxy.port) { _ = try await $0.call(CreateImage(image: .sample())) }
                    let traffic = proxy.traffic
                    let bytes = direction == .request ? traffic.request.count : traffic.answer.count - 1
                    // Every byte is cut with one registry; of two, a sample that holds both ends.
                    for position in Array(stride(from: 0, to: bytes, by: 23)) + [bytes] {
                        let image = Image.sample()
                        try await withClient(endpoints([proxy.port, ports[1]])) { client in
                            // The first call of this client goes to the second registry, the next to the proxy.
                            _ = try await client.call(ListImages(query: ImageListQuery(limit: 1)))
                            proxy.arm(direction, after: position)
                            let created = try await client.call(CreateImage(image: image))
                            #expect(created.id == image.id, "cut after \(position) bytes")
                        }
                        #expect(proxy.hasCut, "cut after \(position) bytes")
                        #expect(try await registry.count(image.id) == 1, "cut after \(position) bytes")
                    }
                }
            }
        }
    }

    @Test("one that was asked to stop says so, answers what still comes, and clients move on without an error")
    func draining() async throws {
        try await RegistryUnderTest.withDatabase { registry in
            var leaving = registry
            let draining = Draining(
                delay: .milliseconds(700),
                manager: ServiceManager(environment: [:]),
                logger: .silent
            )
            leaving.draining = draining
            let ports = [FreePort.next(), FreePort.next()]
            let metrics = PrometheusMetrics()
            let start = ContinuousClock.now
            let down = #"registry_endpoint_up{endpoint="http://127.0.0.1:\#(ports[0])"} 0"#
            // Until it is noticed; where all goes well, long after.
            let isSettled: @Sendable () -> Bool = {
                let time = ContinuousClock.now - start
                return time > .milliseconds(1_700)
                    && (metrics.exposition().contains(down) || time > .seconds(60))
            }
            try await registry.serve(at: .tcp(host: "127.0.0.1", port: ports[1])) {
                try await withClient(endpoints(ports), metrics: metrics) { client in
                    try await withThrowingTaskGroup(of: Int.self) { tasks in
                        try await leaving.serve(at: .tcp(host: "127.0.0.1", port: ports[0])) {
                            for _ in 0..<4 {
                                tasks.addTask {
                                    var count = 0
                                    while !isSettled() {
                                        _ = try await client.call(CreateImage(image: .sample()))
                                        count += 1
                                    }
                                    return count
                                }
                            }
                            tasks.addTask {
                                while !draining.isDraining { try await Task.sleep(for: .milliseconds(5)) }
                                var health = RawRequest("", "")
                                health.method = "GET"
                                health.path = "/healthcheck"
                                health.headers = []
                                do {
                                    let answer = try await health.send(to: ports[0])
                                    #expect(answer.status == 503)
                                    #expect(answer.body.contains("SHUTTING DOWN"))
                                } catch {
                                    // On a busy machine it may be asked when its time is over, and not before.
                                    #expect(ContinuousClock.now - start >= .milliseconds(900), "\(error)")
                                }
                                return 0
                            }
                            try await Task.sleep(for: .milliseconds(200))
                        }
                        let count = try await tasks.reduce(0, +)
                        #expect(try await registry.count() == Int64(count))
                    }
                    #expect(metrics.exposition().contains(down))
                }
            }
        }
    }

    @Test("one that comes back is used again, without being told")
    func back() async throws {
        try await RegistryUnderTest.withDatabase { registry in
            let ports = [FreePort.next(), FreePort.next()]
            let metrics = PrometheusMetrics()
            let up = #"registry_endpoint_up{endpoint="http://127.0.0.1:\#(ports[0])"} 1"#
            let read = ListImages(query: ImageListQuery(limit: 1))
            try await registry.serve(at: .tcp(host: "127.0.0.1", port: ports[1])) {
                try await withClient(endpoints(ports), metrics: metrics) { client in
                    for _ in 0..<4 { _ = try await client.call(read) }
                    #expect(!metrics.exposition().contains(up), "nobody listens there")
                    try await registry.serve(at: .tcp(host: "127.0.0.1", port: ports[0])) {
                        let end = ContinuousClock.now + .seconds(60)
                        while !metrics.exposition().contains(up), ContinuousClock.now < end {
                            try await Task.sleep(for: .milliseconds(20))
                        }
                        #expect(metrics.exposition().contains(up))
                        for _ in 0..<4 { _ = try await client.call(read) }
                        let name = "http://127.0.0.1:\(ports[0])"
                        let line = #"registry_exchanges{endpoint="\#(name)",outcome="answered"} 2"#
                        #expect(metrics.exposition().contains(line))
                    }
                }
            }
        }
    }

    @Test("one that has other keys costs no call")
    func otherKeys() async throws {
        try await RegistryUnderTest.withDatabase { registry in
            var stranger = registry
            stranger.keys = RegistryKeys([RegistryUnderTest.newKey])
            try await withTwo(registry, stranger) { ports in
                try await withClient(endpoints(ports)) { client in
                    for _ in 0..<6 { _ = try await client.call(CreateImage(image: .sample())) }
                }
                try await withClient([endpoints(ports)[1]]) { client in
                    await #expect(throws: RegistryError(.unauthenticated, "Unauthorized")) {
                        try await client.call(CreateImage(image: .sample()))
                    }
                }
                #expect(try await registry.count() == 6)
            }
        }
    }

    @Test("one that has other keys ends no call while another may come back", arguments: [0, 1])
    func otherKeysAndAway(_ first: Int) async throws {
        try await RegistryUnderTest.withDatabase { registry in
            var stranger = registry
            stranger.keys = RegistryKeys([RegistryUnderTest.newKey])
            let away = FreePort.next()
            let port = FreePort.next()
            try await stranger.serve(at: .tcp(host: "127.0.0.1", port: port)) {
                let metrics = PrometheusMetrics()
                // Whichever of them a client's first call goes to.
                try await withClient(endpoints(first == 0 ? [away, port] : [port, away]), metrics: metrics) { client in
                    let call = Task { try await client.call(CreateImage(image: .sample())) }
                    for (port, outcome) in [(away, "not_reached"), (port, "answered")] {
                        let series = #"registry_exchanges{endpoint="http://127.0.0.1:\#(port)",outcome="\#(outcome)"}"#
                        for _ in 0..<6_000 where !metrics.exposition().hasCounted(series) {
                            try await Task.sleep(for: .milliseconds(10))
                        }
                        #expect(metrics.exposition().hasCounted(series))
                    }
                    try await registry.serve(at: .tcp(host: "127.0.0.1", port: away)) { _ = try await call.value }
                }
            }
            #expect(try await registry.count() == 1)
        }
    }

    @Test("one that has more to do than it may is left alone for another, and refuses in few words")
    func overloaded() async throws {
        try await RegistryUnderTest.withDatabase { registry in
            var full = registry
            full.exchangeLimit = 0
            try await withTwo(registry, full) { ports in
                let answer = try await RawRequest("images.list", RegistryRequestTests.list).send(to: ports[1])
                #expect(answer.status == 503)
                #expect(answer.headers["retry-after"] == "1")
                #expect(answer.body.contains("overloaded"))
                let start = ContinuousClock.now
                try await withClient(endpoints(ports)) { client in
                    for _ in 0..<6 { _ = try await client.call(CreateImage(image: .sample())) }
                }
                // What one exchange without an answer takes.
                #expect(ContinuousClock.now - start < RegistryPatience.ample.writes / 2)
                #expect(try await registry.count() == 6)
            }
        }
    }

    @Test("when all are overloaded, calls end early rather than add to it")
    func allOverloaded() async throws {
        let json = String(decoding: RegistryError(.overloaded, "Too much").jsonBytes, as: UTF8.self)
        try await FixedServer.with("503 Service Unavailable", json) { port, counter in
            try await withClient(port: port) { client in
                let calls = 100
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for _ in 0..<calls {
                        tasks.addTask {
                            await #expect(throws: RegistryError(.overloaded, "Too much")) {
                                try await client.call(ShowImage(id: Image.sample().id))
                            }
                        }
                    }
                    try await tasks.waitForAll()
                }
                // Each once, and repetitions within the budget.
                #expect((calls...calls + calls / 5 + 50).contains(counter.count))
            }
        }
    }
}

extension String {
    /// Whether a series of an exposition is there, and more than 0.
    fileprivate func hasCounted(_ series: String) -> Bool { contains("\(series) ") && !contains("\(series) 0\n") }
}
