import StoreLayer
import Testing

@Suite("Store catalogue")
struct StoreCatalogueTests {
    private func catalogue() throws -> StoreCatalogue {
        try StoreCatalogue(
            [
                .init(MemoryStore("slow")),
                .init(MemoryStore("fast"), weight: 10),
                .init(MemoryStore("remote", capabilities: .read), weight: -1),
                .init(MemoryStore("os_glance_staging_store")),
            ],
            defaultIdentifier: "slow",
            isMultiStore: true
        )
    }

    @Test("uploads go where the caller chose, else to the default store")
    func targets() throws {
        let catalogue = try catalogue()
        #expect(try catalogue.uploadTarget(nil).identifier == "slow")
        #expect(try catalogue.uploadTarget("fast").identifier == "fast")
        let single = StoreCatalogue(single: MemoryStore("only"))
        #expect(try single.uploadTarget("ignored").identifier == "only")
        #expect(!single.isMultiStore)
    }

    @Test("unknown, reserved and read-only stores take no uploads")
    func refusals() throws {
        let catalogue = try catalogue()
        let codes: [(String, StoreError.Code)] = [
            ("unknown", .invalidLocation), ("os_glance_staging_store", .invalidLocation), ("remote", .addingDisabled),
        ]
        for (name, code) in codes {
            let error = #expect(throws: StoreError.self) { try catalogue.uploadTarget(name) }
            #expect(error?.code == code)
        }
        let unknown = #expect(throws: StoreError.self) { try catalogue.uploadTarget("unknown") }
        #expect(unknown?.message == "Store for identifier unknown not found")
    }

    @Test("reserved stores are found by those who mean them, and shown to nobody")
    func reserved() throws {
        let catalogue = try catalogue()
        #expect(catalogue.entries.map(\.identifier) == ["slow", "fast", "remote"])
        #expect(catalogue.store("os_glance_staging_store") == nil)
        #expect(catalogue.reservedStore("os_glance_staging_store")?.identifier == "os_glance_staging_store")
    }

    @Test("a location's store is the one it names, else the one that knows its URL")
    func holding() throws {
        let catalogue = try catalogue()
        func holder(_ url: String, _ store: String?) -> String? {
            catalogue.store(holding: StoreLocation(url: url, store: store))?.identifier
        }
        #expect(holder("memory://fast/a", "slow") == "slow")
        #expect(holder("memory://fast/a", nil) == "fast")
        #expect(holder("memory://fast/a", "renamed") == "fast")
        #expect(holder("memory://other/a", nil) == nil)
        #expect(holder("memory://os_glance_staging_store/a", nil) == nil)
    }

    @Test("without a choice of stores a location's store is the one that knows its URL, whatever it names")
    func holdingSingle() {
        let catalogue = StoreCatalogue(single: MemoryStore("file"), others: [MemoryStore("web", capabilities: .read)])
        for name in [nil, "file", "web", "none"] {
            let location = StoreLocation(url: "memory://web/a", store: name)
            #expect(catalogue.store(holding: location)?.identifier == "web")
        }
        #expect(catalogue.defaultStore.identifier == "file" && !catalogue.isMultiStore)
    }

    @Test("clients may only name data in stores that allow it")
    func external() {
        let web = MemoryStore("web", capabilities: [.read, .externalLocations])
        let catalogue = StoreCatalogue(single: MemoryStore("file"), others: [web])
        #expect(catalogue.store(ofExternal: "memory://web/a")?.identifier == "web")
        for url in ["memory://file/a", "memory://other/a", "file:///etc/passwd", ""] {
            #expect(catalogue.store(ofExternal: url) == nil, "\(url)")
        }
    }

    @Test("the heaviest store is read first, equals as they were recorded")
    func order() throws {
        let names = ["remote", "x", "slow", "fast", "y"]
        let locations = names.map { name in StoreLocation(url: "memory://\(name)/a", store: name) }
        let ordered = try catalogue().inReadingOrder(locations) { $0 }
        #expect(ordered.map(\.store) == ["fast", "x", "slow", "y", "remote"])
        #expect(StoreCatalogue(single: MemoryStore("only")).inReadingOrder(locations) { $0 } == locations)
    }

    @Test("a store named twice and a default that is none are refused")
    func mistakes() throws {
        let twice = [StoreCatalogue.Entry(MemoryStore("a")), .init(MemoryStore("a"))]
        #expect(throws: StoreError.self) { try StoreCatalogue(twice, defaultIdentifier: "a", isMultiStore: true) }
        for name in ["b", "os_glance_tasks_store"] {
            let entries = [StoreCatalogue.Entry(MemoryStore("a")), .init(MemoryStore("os_glance_tasks_store"))]
            #expect(throws: StoreError.self) {
                try StoreCatalogue(entries, defaultIdentifier: name, isMultiStore: true)
            }
        }
    }
}
