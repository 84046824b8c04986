/// Where data lies, as the Image API's `locations` tell it.
public struct StoreLocation: Sendable, Hashable {
    public var url: String
    /// The store's configured identifier; `nil` in locations recorded before there were several stores.
    public var store: String?

    public init(url: String, store: String? = nil) {
        self.url = url
        self.store = store
    }
}

/// Where one attempt to upload will put its bytes. It is recorded before the first byte is written, so that whatever an
/// attempt leaves behind can be found and removed by somebody else.
public struct IntendedLocation: Sendable, Hashable {
    /// The location that the data will have once it is published.
    public var url: String
    /// The final name, an image's id; several attempts may have the same.
    public var object: String
    /// Identifies the attempt, never used twice: of letters, digits, `-` and `_`.
    public var attempt: String

    public init(url: String, object: String, attempt: String) {
        self.url = url
        self.object = object
        self.attempt = attempt
    }
}

/// What a store knows of the data it took.
public struct StoredData: Sendable, Hashable {
    public var byteCount: Int64
    /// A fingerprint of exactly these bytes at that place, opaque to everybody else. Recorded with the location and given
    /// back on ``Store/delete(_:identity:)``, which then spares what somebody else put there later.
    public var identity: String?

    public init(byteCount: Int64, identity: String?) {
        self.byteCount = byteCount
        self.identity = identity
    }
}
