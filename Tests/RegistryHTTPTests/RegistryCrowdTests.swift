import ImageModel
import RegistryContract
import RegistryHTTP
import ServiceKit
import Testing

/// What an API has under way with a registry is bounded on its own side, too.
@Suite("Crowds before a registry")
struct RegistryCrowdTests {
    @Test(
        "beyond the connections and the line, calls are refused without a word to the registry, and the line moves on"
    )
    func crowd() async throws {
        try await RegistryUnderTest.served { registry, port in
            try await FaultyProxy.with(upstream: port) { proxy in
                let endpoint = RegistryEndpoint.tcp(host: "127.0.0.1", port: proxy.port)
                let limits = RegistryConnectionLimits(connections: 2, waiting: 3)
                let metrics = PrometheusMetrics()
                let notAsked = #"outcome="not_asked"} "#
                try await withClient([endpoint], limits: limits, metrics: metrics) { client in
                    let outcomes = try await withThrowingTaskGroup(of: RegistryError?.self) { tasks in
                        try await registry.withHeldWriter {
                            for _ in 0..<200 {
                                tasks.addTask {
                                    do throws(RegistryError) {
                                        _ = try await client.call(CreateImage(image: .sample()))
                                        return nil
                                    } catch {
                                        return error
                                    }
                                }
                            }
                            // The budget for repetitions is soon spent: most of them learn at once that it is too much.
                            for _ in 0..<100 {
                                let refusal = try await tasks.next() ?? nil
                                #expect(refusal == RegistryError(.overloaded, "Too many requests; try again later."))
                            }
                            #expect(proxy.traffic.connections <= 2)
                            #expect(proxy.traffic.requests <= 2)
                            #expect(metrics.exposition().contains(notAsked))
                            #expect(!metrics.exposition().contains(notAsked + "0\n"))
                        }
                        return try await tasks.reduce(into: []) { $0.append($1) }
                    }
                    // Who was in line is served; who came back in time, too.
                    let served = outcomes.filter { $0 == nil }.count
                    #expect(served >= 5)
                    #expect(outcomes.allSatisfy { $0 == nil || $0?.code == .overloaded })
                    #expect(try await registry.count() == Int64(served))
                    #expect(proxy.traffic.connections <= 2)
                }
            }
        }
    }
}
