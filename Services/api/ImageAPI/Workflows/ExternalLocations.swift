internal import ImageModel
internal import StoreLayer
internal import Synchronization

/// Finds out about data that a client says is somewhere: whether a configured store may be pointed there, and how many
/// bytes there are. How long that may take is the store's to bound.
struct ExternalLocations: Sendable {
    let catalogue: StoreCatalogue

    struct Found: Sendable {
        var store: any Store
        var data: ExternalData
    }

    /// Whether a store is configured that reads from web servers.
    var readsWebServers: Bool { catalogue.entries.contains { $0.store.details.type == "http" } }

    /// - Throws: ``StoreError``: `invalidLocation` for what no store takes, or what holds nothing; and the store's own.
    func find(_ url: String) async throws(StoreError) -> Found {
        let invalid = StoreError(.invalidLocation, "Invalid location")
        guard let store = catalogue.store(ofExternal: url) else { throw invalid }
        let byteCount = try await store.byteCount(at: url)
        guard byteCount > 0 else { throw invalid }
        let name = catalogue.isMultiStore ? store.identifier : nil
        return Found(store: store, data: ExternalData(byteCount: byteCount, store: name))
    }

    /// The same, for a change that may have to be decided several times.
    func remembering() -> RememberedLocations { RememberedLocations(self) }
}

/// What was found out for one request, so that no source is asked twice.
final class RememberedLocations: Sendable {
    private let external: ExternalLocations
    private let known = Mutex<[String: ExternalData]>([:])

    init(_ external: ExternalLocations) { self.external = external }

    /// - Throws: ``ServiceError`` (`invalidRequest`) for whatever cannot be read now (Image API v2, "Update image").
    func data(at urls: [String]) async throws(ServiceError) -> [String: ExternalData] {
        var found: [String: ExternalData] = [:]
        for url in urls where found[url] == nil { found[url] = try await data(at: url) }
        return found
    }

    private func data(at url: String) async throws(ServiceError) -> ExternalData {
        if let data = known.withLock({ $0[url] }) { return data }
        let data: ExternalData
        do {
            data = try await external.find(url).data
        } catch {
            throw ServiceError(.invalidRequest, "Invalid location", cause: error)
        }
        known.withLock { $0[url] = data }
        return data
    }
}
