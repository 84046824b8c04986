import ImageModel
import RegistryContract
import RegistryDatabase
import RegistryHTTP
import ServiceKit
import Testing

@testable import ImageRegistry

@Suite("Calls to the registry")
struct RegistryCallTests {
    @Test("images are created, shown, listed, changed and deleted over TCP")
    func overTCP() async throws {
        try await RegistryUnderTest.served { _, port in
            try await withClient(port: port) { try await lifeOfAnImage($0) }
        }
    }

    @Test("images are created, shown, listed, changed and deleted over a Unix socket")
    func overUnixSocket() async throws {
        try await RegistryUnderTest.withDatabase { registry in
            let path = registry.folder + "/registry.sock"
            try await registry.serve(at: .unixSocket(path: path)) {
                try await withClient([.unixSocket(path: path)]) { try await lifeOfAnImage($0) }
            }
        }
    }

    private func lifeOfAnImage(_ client: HTTPRegistryClient) async throws {
        let sample = Image.sample("café \u{1F600}")
        var image = try await client.call(CreateImage(image: sample))
        #expect(image.id == sample.id)
        #expect(image.name == sample.name)
        #expect(image.properties == sample.properties)
        #expect(image.revision == 1)
        #expect(try await client.call(ShowImage(id: image.id)) == image)
        #expect(try await client.call(ListImages(query: ImageListQuery(limit: 10))).images == [image])

        let read = image
        image.name = "changed"
        image.tags = ["a", "b"]
        image = try await client.call(UpdateImage(image: image))
        #expect(image.revision == 2)
        #expect(try await client.call(ShowImage(id: image.id)) == image)
        await #expect(
            throws: RegistryError(.changedMeanwhile, "The image was changed by somebody else in the meantime")
        ) {
            try await client.call(UpdateImage(image: read))
        }

        let holder = Holder(node: "n", process: "p")
        let left = try await client.call(DeleteImage(id: image.id, revision: 2, holder: holder))
        #expect(left.deletions.isEmpty)
        await #expect(throws: RegistryError(.notFound, "No image found with ID \(image.id)")) {
            try await client.call(ShowImage(id: image.id))
        }
    }

    @Test("a list that takes too long is given up at once, with a sentence, and others are not")
    func expensiveList() async throws {
        try await RegistryUnderTest.withDatabase { registry in
            var registry = registry
            registry.listTimeout = .zero
            try await registry.database.write { connection in
                try connection.execute(
                    """
                    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)
                    INSERT INTO images (id, status, visibility, protected, os_hidden, min_disk, min_ram, created_at,
                        updated_at, revision)
                    SELECT '00000000-0000-4000-8000-0000' || (10000000 + n), 'active', 'public', 0, 0, 0, 0, n, n, 1
                    FROM numbers
                    """,
                    []
                )
            }
            let port = FreePort.next()
            try await registry.serve(at: .tcp(host: "127.0.0.1", port: port)) {
                try await withClient(port: port) { client in
                    let bySize = [
                        ImageSort(.size, .ascending), ImageSort(.createdAt, .ascending), ImageSort(.id, .ascending),
                    ]
                    let error = await #expect(throws: RegistryError.self) {
                        try await client.call(ListImages(query: ImageListQuery(limit: 10, sort: bySize)))
                    }
                    #expect(error?.code == .tooExpensive)
                    #expect(error?.message.contains("took too long") == true)
                    let newest = try await client.call(ListImages(query: ImageListQuery(limit: 10)))
                    #expect(newest.images.count == 10)
                }
            }
        }
    }

    @Test("the registry's refusals arrive as it gave them: code, sentence and field")
    func refusals() async throws {
        try await RegistryUnderTest.served { _, port in
            try await withClient(port: port) { client in
                var image = Image.sample()
                _ = try await client.call(CreateImage(image: image))
                await #expect(throws: RegistryError(.duplicate, "Image ID \(image.id) already exists!", field: "id")) {
                    try await client.call(CreateImage(image: image))
                }
                image.owner = "p2"
                let error = await #expect(throws: RegistryError.self) {
                    try await client.call(CreateImage(image: image))
                }
                #expect(error?.code == .forbidden)
                #expect(error?.field == "owner")
            }
        }
    }

    @Test("a call is one exchange, and calls one after another share a connection")
    func oneExchange() async throws {
        try await RegistryUnderTest.served { _, port in
            try await FaultyProxy.with(upstream: port) { proxy in
                try await withClient(port: proxy.port) { client in
                    var image = try await client.call(CreateImage(image: .sample()))
                    #expect(proxy.traffic.requests == 1)
                    _ = try await client.call(ShowImage(id: image.id))
                    #expect(proxy.traffic.requests == 2)
                    _ = try await client.call(ListImages(query: ImageListQuery(limit: 10)))
                    #expect(proxy.traffic.requests == 3)
                    image.name = "changed"
                    _ = try await client.call(UpdateImage(image: image))
                    #expect(proxy.traffic.requests == 4)
                    #expect(proxy.traffic.connections == 1)
                }
            }
        }
    }

    @Test("the time of a call is divided between the way, the registry and its database")
    func times() async throws {
        try await RegistryUnderTest.served { registry, port in
            try await withClient(port: port) { client in
                let share = RegistryShare()
                let before = ContinuousClock.now
                let image = try await RegistryShare.$current.withValue(share) {
                    try await client.call(CreateImage(image: .sample()))
                }
                let waited = ContinuousClock.now - before
                let parts = share.parts
                // A commit waits for the disk; the others are microseconds, but there.
                #expect(parts.database > .zero && parts.registry > .zero && parts.wire > .zero, "\(parts)")
                #expect(parts.sum <= waited)
                // Elsewhere nobody counts.
                _ = try await client.call(ShowImage(id: image.id))
                #expect(share.parts == parts)
            }
            let show = RegistryRequestTests.envelope(ShowImage(id: Image.sample().id))
            let refused = try await RawRequest("images.show", show).send(to: port)
            #expect(refused.status == 404)
            #expect(refused.times != nil)
            let stranger = try await RawRequest("images.show", show, age: 300).send(to: port)
            #expect(stranger.status == 401)
            #expect(stranger.times == nil && stranger.headers[RegistryProtocol.Header.times] == nil)
        }
    }

    @Test("many calls at once are all answered")
    func manyAtOnce() async throws {
        try await RegistryUnderTest.served { registry, port in
            try await withClient(port: port) { client in
                // More than one event loop may have connections.
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for number in 0..<200 {
                        tasks.addTask {
                            let image = try await client.call(CreateImage(image: .sample("\(number)")))
                            #expect(image.name == "\(number)")
                        }
                    }
                    try await tasks.waitForAll()
                }
                #expect(try await registry.count() == 200)
            }
        }
    }

    @Test("a page as large as the largest arrives whole")
    func largePage() async throws {
        try await RegistryUnderTest.served { registry, port in
            try await withClient(port: port) { client in
                var image = Image.sample()
                for number in 0..<100 { image.properties["p\(number)"] = String(repeating: "x", count: 10_000) }
                _ = try await client.call(CreateImage(image: image))
                let page = try await client.call(ListImages(query: ImageListQuery(limit: 1_000)))
                #expect(page.images.first?.properties == image.properties)
            }
        }
    }

    @Test("a body over the limit is refused at once, and not repeated")
    func tooLarge() async throws {
        try await RegistryUnderTest.served { _, port in
            try await withClient(port: port) { client in
                let attempts = [String](repeating: String(repeating: "x", count: 1 << 20), count: 5)
                await #expect(throws: RegistryError(.malformed, "The body is too large")) {
                    try await client.call(CheckAttempts(attempts: attempts))
                }
            }
        }
    }

    @Test("a key can be replaced without a pause, and a key that only one side has is refused")
    func keyRotation() async throws {
        let (old, new) = (RegistryUnderTest.oldKey, RegistryUnderTest.newKey)
        // The steps in the order in which an operator takes them, either service first, and what must not work.
        let steps: [(registry: [RegistryKeys.Key], client: [RegistryKeys.Key], isAccepted: Bool)] = [
            ([old], [old], true), ([old, new], [old], true), ([old], [old, new], true),
            ([old, new], [old, new], true),
            ([new, old], [old, new], true), ([old, new], [new, old], true), ([new, old], [new, old], true),
            ([new], [new, old], true), ([new, old], [new], true), ([new], [new], true),
            ([old], [new, old], false), ([new], [old, new], false),
            ([.init(id: "old", secret: new.secret)], [old], false),
        ]
        try await RegistryUnderTest.withDatabase { registry in
            for (number, step) in steps.enumerated() {
                var registry = registry
                registry.keys = RegistryKeys(step.registry)
                let port = FreePort.next()
                try await registry.serve(at: .tcp(host: "127.0.0.1", port: port)) {
                    try await withClient(port: port, keys: RegistryKeys(step.client)) { client in
                        let query = ListImages(query: ImageListQuery(limit: 1))
                        if step.isAccepted {
                            let page = try await client.call(query)
                            #expect(page.images.isEmpty, "step \(number)")
                        } else {
                            await #expect(throws: RegistryError(.unauthenticated, "Unauthorized"), "step \(number)") {
                                try await client.call(query)
                            }
                        }
                    }
                }
            }
        }
    }

    @Test("services whose clocks are far apart do not speak", arguments: [-90, 90])
    func clocks(_ seconds: Int) async throws {
        try await RegistryUnderTest.withDatabase { registry in
            var registry = registry
            registry.now = { Timestamp.now.advanced(by: .seconds(seconds)) }
            let port = FreePort.next()
            try await registry.serve(at: .tcp(host: "127.0.0.1", port: port)) {
                try await withClient(port: port) { client in
                    await #expect(throws: RegistryError(.unauthenticated, "Unauthorized")) {
                        try await client.call(ListImages(query: ImageListQuery(limit: 1)))
                    }
                }
            }
        }
    }

    @Test("every operation of the contract has a handler, and every handler an operation")
    func handlers() {
        let operations: [any RegistryOperation.Type] = [
            ShowImage.self, ListImages.self, CreateImage.self, UpdateImage.self, DeleteImage.self, RestoreImage.self,
            RelocateImage.self, RecordDigests.self, ListImageTasks.self, BeginStaging.self, FinishStaging.self,
            ListMembers.self, ShowMember.self, AddMember.self, UpdateMember.self, RemoveMember.self,
            BeginUpload.self, RenewUploads.self, ReserveUpload.self, ShowUsage.self, FinishUpload.self,
            AbortUpload.self, ListProcesses.self, ReleaseUploads.self,
            CheckAttempts.self, ClaimDeletions.self, FinishDeletions.self, PostponeDeletions.self,
            WithdrawDeletions.self,
            ListMetadefs.self, ShowMetadefs.self, CreateMetadefs.self, UpdateMetadefs.self, DeleteMetadefs.self,
            ChangeMetadefs.self, FindDefinitions.self, ListResourceTypes.self,
            BeginSession.self, ExtendSession.self, ShowSession.self, RecordSession.self,
            ClaimScrubs.self, UndeleteImage.self, ClaimVerification.self, RenewVerification.self,
            RecordVerification.self, ListDamage.self,
        ]
        #expect(RegistryHandlers.all.exchanges.keys.sorted() == operations.map { $0.name }.sorted())
    }
}
