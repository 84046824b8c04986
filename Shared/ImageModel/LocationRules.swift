/// What an operator decides about the locations that clients name.
public struct LocationRules: Sendable, Equatable {
    /// Whether clients see and change locations (`show_multiple_locations`).
    public var areVisible: Bool
    /// Locations per image (`image_location_quota`); negative: no limit.
    public var quota: Int
    /// The one algorithm that `validation_data` may name where nobody checks it (`hashing_algorithm`).
    public var hashAlgorithm: String
    /// Length in bytes of that algorithm's digests.
    public var hashByteCount: Int

    public init(
        areVisible: Bool = false,
        quota: Int = 10,
        hashAlgorithm: String = "sha512",
        hashByteCount: Int = 64
    ) {
        self.areVisible = areVisible
        self.quota = quota
        self.hashAlgorithm = hashAlgorithm
        self.hashByteCount = hashByteCount
    }

    /// - Throws: ``ServiceError`` (`forbidden`).
    public func requireVisible() throws(ServiceError) {
        guard areVisible else {
            throw ServiceError(
                .forbidden,
                "It's not allowed to add/update/remove locations if locations are invisible."
            )
        }
    }
}

/// What a store says of data that a client named.
public struct ExternalData: Sendable, Equatable {
    public var byteCount: Int64
    /// The store's identifier, where several are configured.
    public var store: String?

    public init(byteCount: Int64, store: String? = nil) {
        self.byteCount = byteCount
        self.store = store
    }
}
