import Fetching
import NIOCore
import NIOHTTP1
import StoreHTTP
import StoreLayer

/// A store in memory whose data is read through the HTTP store, from a web server that serves it: so that the driver, which
/// takes no data, is held to what every store promises to readers.
struct ServedStore: Store {
    let memory: MemoryStore
    let web: HTTPStore
    let base: String

    var identifier: String { memory.identifier }
    var capabilities: StoreCapabilities { memory.capabilities }
    var details: StoreDetails { memory.details }

    static func with(_ body: (ServedStore) async throws -> Void) async throws {
        let memory = MemoryStore("memory")
        try await WebServer.with({ memory.serve($0) }) { server in
            var rules = FetchRules()
            rules.allowedHosts = ["127.0.0.1"]
            rules.allowedPorts = []
            let web = HTTPStore("web", fetcher: Fetcher(rules: rules))
            try await body(ServedStore(memory: memory, web: web, base: server.url("/")))
        }
    }

    func recognizes(_ url: String) -> Bool { memory.recognizes(url) }

    func intend(_ object: String, attempt: String, size: Int64?) async throws(StoreError) -> IntendedLocation {
        try await memory.intend(object, attempt: attempt, size: size)
    }

    func write(
        _ location: IntendedLocation,
        size: Int64?,
        body: some ChunkSequence,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws -> StoredData {
        try await memory.write(location, size: size, body: body, mayStillPublish: mayStillPublish)
    }

    func confirm(_ location: IntendedLocation) async { await memory.confirm(location) }
    func discard(_ location: IntendedLocation) async { await memory.discard(location) }
    func leftovers() async -> [IntendedLocation] { await memory.leftovers() }

    func byteCount(at url: String) async throws(StoreError) -> Int64 {
        try await web.byteCount(at: try address(of: url))
    }

    func open(_ url: String, range: Range<Int64>?) async throws(StoreError) -> any Blob {
        try await web.open(try address(of: url), range: range)
    }

    func delete(_ url: String, identity: String?) async throws(StoreError) {
        try await memory.delete(url, identity: identity)
    }

    /// Where the server has what a location means.
    private func address(of url: String) throws(StoreError) -> String {
        guard recognizes(url), let object = url.split(separator: "/").last else {
            throw StoreError(.invalidLocation, "Invalid location")
        }
        return base + object
    }
}
