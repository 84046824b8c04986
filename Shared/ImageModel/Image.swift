public import WireJSON

/// Who may see an image (Image API v2, "Visibility").
public enum Visibility: String, Sendable, CaseIterable {
    case community, `public`, `private`, shared
}

/// The record of an image, all of it but its bytes.
public struct Image: Sendable, Equatable {
    public var id: ImageID
    public var name: String?
    public var status: ImageStatus
    public var visibility: Visibility
    public var protected: Bool
    public var hidden: Bool
    /// The project that owns the image.
    public var owner: String?
    public var containerFormat: String?
    public var diskFormat: String?
    /// Gigabytes of disk that a server needs to boot it.
    public var minDisk: Int64
    /// Megabytes of memory that a server needs to boot it.
    public var minRAM: Int64
    /// Length of the data in bytes; `nil` until there is data.
    public var size: Int64?
    /// Length in bytes of the disk that a guest would see.
    public var virtualSize: Int64?
    /// MD5 of the data in hexadecimal.
    public var checksum: String?
    public var hashAlgorithm: String?
    /// The multihash of the data in hexadecimal.
    public var hashValue: String?
    public var createdAt: Timestamp
    public var updatedAt: Timestamp
    /// A set, kept in the order in which tags were added.
    public var tags: [String]
    /// Custom properties by name. A declared property may be null.
    public var properties: [String: String?]
    /// Where the data is, in the order in which it was put there. Empty while there is no data to read.
    public var locations: [ImageLocation]
    /// The URLs of those of the locations whose data is known to be damaged: it is not what was stored there.
    public var damaged: Set<String>
    /// Grows with every change; a conditional write names the one it was based on.
    public var revision: Int64

    public init(
        id: ImageID,
        name: String? = nil,
        status: ImageStatus = .queued,
        visibility: Visibility = .shared,
        protected: Bool = false,
        hidden: Bool = false,
        owner: String? = nil,
        containerFormat: String? = nil,
        diskFormat: String? = nil,
        minDisk: Int64 = 0,
        minRAM: Int64 = 0,
        size: Int64? = nil,
        virtualSize: Int64? = nil,
        checksum: String? = nil,
        hashAlgorithm: String? = nil,
        hashValue: String? = nil,
        createdAt: Timestamp = Timestamp(microseconds: 0),
        updatedAt: Timestamp = Timestamp(microseconds: 0),
        tags: [String] = [],
        properties: [String: String?] = [:],
        locations: [ImageLocation] = [],
        damaged: Set<String> = [],
        revision: Int64 = 0
    ) {
        self.id = id
        self.name = name
        self.status = status
        self.visibility = visibility
        self.protected = protected
        self.hidden = hidden
        self.owner = owner
        self.containerFormat = containerFormat
        self.diskFormat = diskFormat
        self.minDisk = minDisk
        self.minRAM = minRAM
        self.size = size
        self.virtualSize = virtualSize
        self.checksum = checksum
        self.hashAlgorithm = hashAlgorithm
        self.hashValue = hashValue
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.tags = tags
        self.properties = properties
        self.locations = locations
        self.damaged = damaged
        self.revision = revision
    }
}

/// Where a copy of an image's data is.
public struct ImageLocation: Sendable, Equatable {
    public var url: String
    /// What the store said of it; `store` names the store.
    public var metadata: JSONObject

    public init(url: String, metadata: JSONObject = [:]) {
        self.url = url
        self.metadata = metadata
    }

    /// The store that holds it, where several are configured.
    public var store: String? { metadata["store"]?.stringValue }
}
