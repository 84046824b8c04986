import ImageModel
import RegistryContract
import RegistryHTTP
import ServiceKit
import Testing
import WireJSON

@Suite("Faults between the services")
struct RegistryFaultTests {
    @Test(
        "a create whose connection is cut at any byte is applied once and succeeds",
        arguments: [FaultyProxy.Direction.request, .answer]
    )
    func cutAnywhere(_ direction: FaultyProxy.Direction) async throws {
        try await RegistryUnderTest.served { registry, port in
            try await FaultyProxy.with(upstream: port) { proxy in
                try await withClient(port: proxy.port) { client in
                    _ = try await client.call(CreateImage(image: .sample()))
                    let traffic = proxy.traffic
                    // With all bytes of the request on their way only the answer is lost.
                    let positions =
                        direction == .request ? 0...traffic.request.count : 0...(traffic.answer.count - 1)
                    for position in positions {
                        let image = Image.sample()
                        proxy.arm(direction, after: position)
                        let created = try await client.call(CreateImage(image: image))
                        #expect(created.id == image.id, "cut after \(position) bytes")
                        #expect(proxy.hasCut, "cut after \(position) bytes")
                        #expect(try await registry.count(image.id) == 1, "cut after \(position) bytes")
                    }
                    #expect(try await registry.count() == Int64(positions.count + 1))
                }
            }
        }
    }

    /// Of a write's bytes some twenty, others in each run; a create is cut at all of them.
    @Test(
        "every write whose connection is cut is applied once, and answered as if nothing had been",
        arguments: FaultyWrite.all,
        [FaultyProxy.Direction.request, .answer]
    )
    func cutWrites(_ write: FaultyWrite, _ direction: FaultyProxy.Direction) async throws {
        let offset = Int.random(in: 0..<100)
        try await RegistryUnderTest.served { _, port in
            try await FaultyProxy.with(upstream: port) { proxy in
                try await withClient(port: proxy.port) { client in
                    let uncut = try await write.prepare(client)
                    proxy.reset()
                    let look = try await uncut()
                    let bytes = direction == .request ? proxy.traffic.request.count : proxy.traffic.answer.count - 1
                    #expect(try await look() == write.outcome)
                    let step = bytes / 20 + 1
                    for position in [0] + stride(from: offset % step, to: bytes, by: step) + [bytes] {
                        let perform = try await write.prepare(client)
                        proxy.arm(direction, after: position)
                        let look = try await perform()
                        #expect(proxy.hasCut, "cut after \(position) bytes")
                        #expect(try await look() == write.outcome, "cut after \(position) bytes")
                    }
                }
            }
        }
    }

    @Test("a read whose answer is cut short succeeds")
    func cutRead() async throws {
        try await RegistryUnderTest.served { _, port in
            try await FaultyProxy.with(upstream: port) { proxy in
                try await withClient(port: proxy.port) { client in
                    let image = try await client.call(CreateImage(image: .sample()))
                    proxy.reset()
                    _ = try await client.call(ShowImage(id: image.id))
                    // A sample: what a cut does does not differ from byte to byte, as it may for a write.
                    for position in stride(from: 0, to: proxy.traffic.answer.count, by: 7) {
                        proxy.arm(.answer, after: position)
                        #expect(try await client.call(ShowImage(id: image.id)) == image)
                        #expect(proxy.hasCut, "cut after \(position) bytes")
                    }
                }
            }
        }
    }

    @Test("a registry that is away for a moment is waited for by writes and by reads")
    func restart() async throws {
        try await RegistryUnderTest.withDatabase { registry in
            let port = FreePort.next()
            let address = ListeningAddress.tcp(host: "127.0.0.1", port: port)
            try await withClient(port: port) { client in
                let first = try await registry.serve(at: address) {
                    try await client.call(CreateImage(image: .sample()))
                }
                // Nobody listens: the idle connection is gone, and new ones are refused.
                let image = Image.sample()
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask {
                        let created = try await client.call(CreateImage(image: image))
                        #expect(created.id == image.id)
                    }
                    tasks.addTask {
                        let shown = try await client.call(ShowImage(id: first.id))
                        #expect(shown == first)
                    }
                    try await Task.sleep(for: .milliseconds(700))
                    try await registry.serve(at: address) { try await tasks.waitForAll() }
                }
                #expect(try await registry.count() == 2)
            }
        }
    }

    @Test("a registry that stops in the middle of a write finishes it or leaves it to its successor")
    func stopInTheMiddle() async throws {
        try await RegistryUnderTest.withDatabase { registry in
            let port = FreePort.next()
            let address = ListeningAddress.tcp(host: "127.0.0.1", port: port)
            try await withClient(port: port) { client in
                let images = (0..<40).map { Image.sample("\($0)") }
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    try await registry.serve(at: address) {
                        for image in images {
                            tasks.addTask { _ = try await client.call(CreateImage(image: image)) }
                        }
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    try await registry.serve(at: address) { try await tasks.waitForAll() }
                }
                #expect(try await registry.count() == 40)
            }
        }
    }

    @Test("connections that went stale while idle cost no call")
    func staleConnections() async throws {
        try await RegistryUnderTest.withDatabase { registry in
            let port = FreePort.next()
            let address = ListeningAddress.tcp(host: "127.0.0.1", port: port)
            try await withClient(port: port) { client in
                // Several idle connections, all of which the registry closes when it stops.
                try await registry.serve(at: address) {
                    try await withThrowingTaskGroup(of: Void.self) { tasks in
                        for _ in 0..<8 {
                            tasks.addTask { _ = try await client.call(CreateImage(image: .sample())) }
                        }
                        try await tasks.waitForAll()
                    }
                }
                try await registry.serve(at: address) {
                    let start = ContinuousClock.now
                    let page = try await client.call(ListImages(query: ImageListQuery(limit: 10)))
                    #expect(page.images.count == 8)
                    // What an exchange without an answer takes.
                    #expect(ContinuousClock.now - start < RegistryPatience.ample.reads / 2)
                }
            }
        }
    }

    @Test("a registry that hangs leaves time for another to answer")
    func hung() async throws {
        try await RegistryUnderTest.withDatabase { registry in
            let port = FreePort.next()
            try await registry.serve(at: .tcp(host: "127.0.0.1", port: port)) {
                try await FixedServer.silent { silent in
                    let endpoints: [RegistryEndpoint] = [
                        .tcp(host: "127.0.0.1", port: silent), .tcp(host: "127.0.0.1", port: port),
                    ]
                    try await withClient(endpoints, patience: RegistryPatience(reads: .seconds(40))) { client in
                        // Endpoints take turns: of two calls one begins at the silent one.
                        for _ in 0..<2 {
                            _ = try await client.call(ListImages(query: ImageListQuery(limit: 1)))
                        }
                    }
                }
            }
        }
    }

    @Test("a registry that is absent is told of as unavailable, when a read's patience ends")
    func absent() async throws {
        let read = ShowImage(id: Image.sample().id)
        let endpoints: [RegistryEndpoint] = [
            .tcp(host: "127.0.0.1", port: FreePort.next()), .unixSocket(path: "/nonexistent/registry.sock"),
        ]
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for endpoint in endpoints {
                tasks.addTask {
                    let patience = RegistryPatience(reads: .seconds(4), writes: .seconds(3_600))
                    try await withClient([endpoint], patience: patience) { client in
                        let start = ContinuousClock.now
                        let error = await #expect(throws: RegistryError.self) { try await client.call(read) }
                        #expect(error?.code == .unavailable)
                        #expect((.seconds(2)...(.seconds(1_800))).contains(ContinuousClock.now - start))
                    }
                }
            }
            try await tasks.waitForAll()
        }
    }

    /// A read that its caller gives up when the registry has been asked so often.
    private func giveUp(
        _ client: HTTPRegistryClient,
        after count: Int,
        _ counter: FixedServer.Counter
    ) async throws -> RegistryError {
        let call = Task { try await client.call(ShowImage(id: Image.sample().id)) }
        for _ in 0..<6_000 where counter.count < count { try await Task.sleep(for: .milliseconds(10)) }
        #expect(counter.count >= count)
        call.cancel()
        return try #require(await #expect(throws: RegistryError.self) { try await call.value })
    }

    @Test("what answers in another protocol is a registry that is unavailable")
    func anotherProtocol() async throws {
        try await FixedServer.with("404 Not Found", "<html>no such page</html>") { port, counter in
            try await withClient(port: port) { client in
                let error = try await giveUp(client, after: 2, counter)
                #expect(error.code == .unavailable)
            }
        }
    }

    @Test("an answer of a shape that was not agreed is an error, and the call is not repeated")
    func anotherShape() async throws {
        try await FixedServer.with("200 OK", #"{"id":"none"}"#) { port, counter in
            try await withClient(port: port) { client in
                let error = await #expect(throws: RegistryError.self) {
                    try await client.call(CreateImage(image: .sample()))
                }
                #expect(error?.code == .internalError)
                #expect(counter.count == 1)
            }
        }
    }

    @Test("a registry that speaks no common version is told of at once", arguments: ["2-3", "0-0", "", "1", "x-y"])
    func noCommonVersion(_ versions: String) async throws {
        let json = RegistryError(.unsupportedProtocol, "Not that version").jsonBytes
        try await FixedServer.with(
            "400 Bad Request",
            headers: ["glance-protocol: \(versions)"],
            String(decoding: json, as: UTF8.self)
        ) { port, counter in
            try await withClient(port: port) { client in
                await #expect(throws: RegistryError(.unsupportedProtocol, "Not that version")) {
                    try await client.call(ShowImage(id: Image.sample().id))
                }
                #expect(counter.count == 1)
            }
        }
    }

    @Test("an overloaded registry is asked again")
    func overloaded() async throws {
        let json = String(decoding: RegistryError(.overloaded, "Too much").jsonBytes, as: UTF8.self)
        try await FixedServer.with("503 Service Unavailable", json) { port, counter in
            try await withClient(port: port) { client in
                let error = try await giveUp(client, after: 3, counter)
                #expect(error == RegistryError(.overloaded, "Too much"))
            }
        }
    }

    @Test("with a second registry the loss of one goes unnoticed")
    func failover() async throws {
        try await RegistryUnderTest.served { registry, port in
            let dead = RegistryEndpoint.tcp(host: "127.0.0.1", port: FreePort.next())
            try await withClient([dead, .tcp(host: "127.0.0.1", port: port)]) { client in
                let start = ContinuousClock.now
                for _ in 0..<10 { _ = try await client.call(CreateImage(image: .sample())) }
                // What one exchange without an answer takes.
                #expect(ContinuousClock.now - start < RegistryPatience.ample.writes / 2)
                #expect(try await registry.count() == 10)
            }
        }
    }

    @Test("a caller that has given up is not kept until the end of patience")
    func cancellation() async throws {
        try await withClient(port: FreePort.next()) { client in
            let start = ContinuousClock.now
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    await #expect(throws: RegistryError.self) { try await client.call(CreateImage(image: .sample())) }
                }
                try await Task.sleep(for: .milliseconds(200))
                tasks.cancelAll()
                try await tasks.waitForAll()
            }
            #expect(ContinuousClock.now - start < RegistryPatience.ample.writes / 2)
        }
    }
}
