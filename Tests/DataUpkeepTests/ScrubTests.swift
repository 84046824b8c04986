import DataUpkeep
import ImageModel
import Logging
import RegistryContract
import StoreLayer
import Testing

@Suite("Scrub")
struct ScrubTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func deletion(_ id: Int64, in store: String) throws -> PendingDeletion {
        PendingDeletion(
            id: id,
            image: try #require(ImageID("00000000-0000-4000-8000-0000000000\(id + 10)")),
            store: store,
            url: "\(store)://\(id)",
            attempt: "a\(id)",
            identity: nil,
            isUnfinished: false
        )
    }

    private func scrub(
        _ registry: ScriptedRegistry,
        _ stores: [ScriptedStore],
        poolSize: Int = 1,
        batchCount: Int64 = 4
    ) throws -> Scrub {
        let catalogue = try StoreCatalogue(
            stores.map { StoreCatalogue.Entry($0) },
            defaultIdentifier: stores[0].identifier,
            isMultiStore: true
        )
        return Scrub(
            registry: registry,
            // None of these stores hangs; only the machine may be busy.
            data: DataDeletion(registry: registry, catalogue: catalogue, timeLimit: .seconds(300), logger: logger),
            stores: stores.map(\.identifier),
            holder: Holder(node: "n", process: "p"),
            poolSize: poolSize,
            batchCount: batchCount,
            logger: logger
        )
    }

    @Test("goes through all batches, so many images at once", arguments: [1, 3])
    func all(_ poolSize: Int) async throws {
        let registry = ScriptedRegistry(.init(deletions: try (1...11).map { try deletion($0, in: "good") }))
        let good = ScriptedStore("good")
        let summary = try await scrub(registry, [good], poolSize: poolSize).round()
        #expect(summary == Scrub.Summary(removed: 11))
        #expect(registry.told.finished == Set(1...11))
        #expect(good.mostAtOnce <= poolSize)
    }

    @Test("a store that does not answer is asked once, and holds up no other")
    func outage() async throws {
        var deletions = try (1...9).map { try deletion($0, in: "out") }
        deletions += try (10...15).map { try deletion($0, in: "good") }
        let registry = ScriptedRegistry(.init(deletions: deletions))
        let out = ScriptedStore("out", deletion: .failure(StoreError(.unavailable, "away")))
        let good = ScriptedStore("good")
        let summary = try await scrub(registry, [out, good]).round()
        #expect(out.deletions == 1)
        #expect(summary == Scrub.Summary(removed: 6, postponed: 4), "the rest was not even taken")
        #expect(registry.told.finished == Set(10...15) && registry.told.postponed == Set(1...4))
    }

    @Test(
        "what a store says of one deletion",
        arguments: [
            (.notFound, true), (.forbidden, false), (.inUse, false), (.failed, false), (.timedOut, false),
        ] as [(StoreError.Code, Bool)]
    )
    func refusals(_ code: StoreError.Code, _ isDone: Bool) async throws {
        let registry = ScriptedRegistry(.init(deletions: [try deletion(1, in: "s")]))
        let store = ScriptedStore("s", deletion: .failure(StoreError(code, "no")))
        _ = try await scrub(registry, [store]).round()
        #expect(registry.told.finished == (isDone ? [1] : []))
        #expect(registry.told.postponed == (isDone ? [] : [1]))
    }
}
