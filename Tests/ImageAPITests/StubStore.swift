import StoreLayer

/// A store for those who ask of stores only where they are, or how they refuse: it has no data.
struct StubStore: EmptyStore {
    let identifier: String
    let capabilities: StoreCapabilities = []
    let details = StoreDetails(type: "stub")
    /// What a deletion comes to; `nil`: it is done.
    let deletionError: StoreError?

    init(_ identifier: String, deletionError: StoreError? = Self.unsupported) {
        self.identifier = identifier
        self.deletionError = deletionError
    }

    func recognizes(_ url: String) -> Bool { url.hasPrefix("stub://\(identifier)/") }

    func confirm(_ location: IntendedLocation) async throws(StoreError) { throw Self.unsupported }
    func discard(_ location: IntendedLocation) async throws(StoreError) { throw Self.unsupported }
    func delete(_ url: String, identity: String?) async throws(StoreError) {
        if let deletionError { throw deletionError }
    }
}

/// A store that takes and gives nothing.
protocol EmptyStore: Store {}

extension EmptyStore {
    static var unsupported: StoreError { StoreError(.unsupported, "This store keeps nothing") }

    func intend(_ object: String, attempt: String, size: Int64?) async throws(StoreError) -> IntendedLocation {
        throw Self.unsupported
    }

    func write(
        _ location: IntendedLocation,
        size: Int64?,
        body: some ChunkSequence,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws -> StoredData {
        throw Self.unsupported
    }

    func open(_ url: String, range: Range<Int64>?) async throws(StoreError) -> any Blob { throw Self.unsupported }
    func leftovers() async throws(StoreError) -> [IntendedLocation] { throw Self.unsupported }
}
