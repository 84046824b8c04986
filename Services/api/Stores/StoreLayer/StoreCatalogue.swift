/// The stores that are configured.
public struct StoreCatalogue: Sendable {
    public struct Entry: Sendable {
        public var store: any Store
        /// Data is read from the heaviest store first.
        public var weight: Int
        /// What the operator wrote of it (`store_description`).
        public var description: String?

        public init(_ store: any Store, weight: Int = 0, description: String? = nil) {
            self.store = store
            self.weight = weight
            self.description = description
        }

        public var identifier: String { store.identifier }
    }

    /// Stores for data in transit: no location points to them, and no caller sees or chooses them.
    public static let reservedIdentifiers: Set<String> = ["os_glance_staging_store", "os_glance_tasks_store"]

    /// In the order of the configuration, without the reserved ones.
    public let entries: [Entry]
    public let defaultStore: any Store
    /// Whether the operator named stores (`enabled_backends`); without that there is one store, and callers choose none.
    public let isMultiStore: Bool
    /// Where data waits on this node to be imported; `nil` where it cannot.
    public let staging: StagingArea?
    private let reserved: [Entry]

    /// - Throws: `failed` with a sentence for the operator: an identifier twice, or a default that is no store for uploads.
    public init(
        _ entries: [Entry],
        defaultIdentifier: String,
        isMultiStore: Bool,
        staging: StagingArea? = nil
    ) throws(StoreError) {
        var seen: Set<String> = []
        for entry in entries where !seen.insert(entry.identifier).inserted {
            throw StoreError(.failed, "enabled_backends: the store \"\(entry.identifier)\" is named twice")
        }
        self.entries = entries.filter { !Self.reservedIdentifiers.contains($0.identifier) }
        self.reserved = entries.filter { Self.reservedIdentifiers.contains($0.identifier) }
        self.isMultiStore = isMultiStore
        self.staging = staging
        guard let standard = self.entries.first(where: { $0.identifier == defaultIdentifier }) else {
            throw StoreError(.failed, "default_backend: there is no store \"\(defaultIdentifier)\"")
        }
        self.defaultStore = standard.store
    }

    /// A catalogue of the one store of a configuration without `enabled_backends`.
    ///
    /// - Parameter others: Stores that are only read from, by the URLs of locations.
    public init(single store: any Store, others: [any Store] = [], staging: StagingArea? = nil) {
        self.entries = [Entry(store)] + others.map { Entry($0) }
        self.reserved = []
        self.defaultStore = store
        self.isMultiStore = false
        self.staging = staging
    }

    public func store(_ identifier: String) -> (any Store)? {
        entries.first { $0.identifier == identifier }?.store
    }

    /// A store for data in transit; `nil` when none is configured.
    public func reservedStore(_ identifier: String) -> (any Store)? {
        reserved.first { $0.identifier == identifier }?.store
    }

    /// The store that an upload goes to.
    ///
    /// - Parameter identifier: What the caller asked for; the default store when `nil`, or when there is no choice.
    /// - Throws: `invalidLocation` for an unknown or reserved store, `addingDisabled`.
    public func uploadTarget(_ identifier: String?) throws(StoreError) -> any Store {
        var target = defaultStore
        if isMultiStore, let identifier {
            guard let chosen = store(identifier) else {
                throw StoreError(.invalidLocation, "Store for identifier \(identifier) not found")
            }
            target = chosen
        }
        guard target.capabilities.contains(.write) else {
            throw StoreError(.addingDisabled, "Adding images to store is disabled")
        }
        return target
    }

    /// The store that holds a location: the one it names, else the one that recognizes its URL, which mends locations
    /// that name no store or one that was renamed. `nil` when no configured store does, and for what is staged elsewhere.
    public func store(holding location: StoreLocation) -> (any Store)? {
        if StagingArea.isRecorded(location.store) {
            return staging?.recordedStore == location.store ? staging?.store : nil
        }
        return entry(holding: location)?.store
    }

    /// The store from which a client may name data that this service did not write.
    public func store(ofExternal url: String) -> (any Store)? {
        entries.first { $0.store.capabilities.contains(.externalLocations) && $0.store.recognizes(url) }?.store
    }

    /// Locations in the order of reading: the heaviest store first, else as they were; unknown stores weigh 0.
    ///
    /// - Parameter place: Where the data of an element lies.
    public func inReadingOrder<Location>(_ locations: [Location], by place: (Location) -> StoreLocation) -> [Location] {
        guard isMultiStore, locations.count > 1 else { return locations }
        // `sort` is stable, though it does not promise so: the index makes sure.
        let weighed = locations.enumerated().map {
            (weight: entry(holding: place($1))?.weight ?? 0, index: $0, location: $1)
        }
        return weighed.sorted { ($1.weight, $0.index) < ($0.weight, $1.index) }.map(\.location)
    }

    private func entry(holding location: StoreLocation) -> Entry? {
        // Without a choice of stores the name is a client's own word.
        if isMultiStore, let name = location.store, let entry = entries.first(where: { $0.identifier == name }) {
            return entry
        }
        return entries.first { $0.store.recognizes(location.url) }
    }
}
