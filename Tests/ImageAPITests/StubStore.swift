import StoreLayer

/// A store for those who ask of stores only where they are: it has no data.
struct StubStore: Store {
    let identifier: String
    let capabilities: StoreCapabilities = []
    let details = StoreDetails(type: "stub")

    init(_ identifier: String) { self.identifier = identifier }

    func recognizes(_ url: String) -> Bool { url.hasPrefix("stub://\(identifier)/") }

    func intend(_ object: String, attempt: String, size: Int64?) async throws(StoreError) -> IntendedLocation {
        throw unsupported
    }

    func write(
        _ location: IntendedLocation,
        size: Int64?,
        body: some ChunkSequence,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws -> StoredData {
        throw unsupported
    }

    func confirm(_ location: IntendedLocation) async throws(StoreError) { throw unsupported }
    func discard(_ location: IntendedLocation) async throws(StoreError) { throw unsupported }
    func open(_ url: String, range: Range<Int64>?) async throws(StoreError) -> any Blob { throw unsupported }
    func delete(_ url: String, identity: String?) async throws(StoreError) { throw unsupported }
    func leftovers() async throws(StoreError) -> [IntendedLocation] { throw unsupported }

    private var unsupported: StoreError { StoreError(.unsupported, "This store keeps nothing") }
}
