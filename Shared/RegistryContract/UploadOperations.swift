public import ImageModel
public import WireJSON

/// `uploads.begin`: claims a queued image for one attempt at uploading: `queued → saving`, a lease, and the intended
/// location, all before the first byte.
///
/// Where an earlier attempt's bytes still have to go from the same place, nothing is claimed and the deletions are
/// answered: carry them out, report them (``FinishDeletions``), begin again.
///
/// With `externalMetadata` nothing is going to be written: the attempt reads data that somebody else put at `url`, and the
/// image goes `queued → importing`. It ends like an upload, by ``FinishUpload`` or ``AbortUpload``.
public struct BeginUpload: RegistryOperation {
    public typealias Response = UploadClaim
    public static let name = "uploads.begin"
    public static let effect = RegistryEffect.once

    public var image: ImageID
    /// Unique to this attempt; part of its temporary name.
    public var attempt: String
    /// The API node that uploads.
    public var holder: Holder
    /// The store that the location belongs to; `nil` in single-store mode.
    public var store: String?
    public var url: String
    /// What the store adds to the location's metadata.
    public var metadata: JSONObject
    /// The location's metadata, where data of somebody else is recorded.
    public var externalMetadata: JSONObject?
    /// How many bytes the data has, where that was declared: so much room is taken until the attempt ends.
    public var size: Int64?
    /// What the image's owner may use; `limitExceeded` where there is no room.
    public var limits: UsageLimits

    public init(
        image: ImageID,
        attempt: String,
        holder: Holder,
        store: String?,
        url: String,
        metadata: JSONObject = [:],
        externalMetadata: JSONObject? = nil,
        size: Int64? = nil,
        limits: UsageLimits = .none
    ) {
        self.metadata = metadata
        self.externalMetadata = externalMetadata
        self.size = size
        self.limits = limits
        self.image = image
        self.attempt = attempt
        self.holder = holder
        self.store = store
        self.url = url
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("image", image.text)
            writer.field("attempt", attempt)
            writer.name("holder")
            holder.write(to: &writer)
            if let store { writer.field("store", store) }
            writer.field("url", url)
            if !metadata.isEmpty { writer.field("metadata", .object(metadata)) }
            if let externalMetadata { writer.field("external_metadata", .object(externalMetadata)) }
            if let size { writer.field("size", size) }
            writer.field(limits: limits)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        metadata = try members.object["metadata"] == nil ? [:] : members.object(named: "metadata")
        externalMetadata =
            try members.object["external_metadata"] == nil ? nil : members.object(named: "external_metadata")
        image = try members.imageID("image")
        attempt = try members.string("attempt")
        holder = try members.value("holder")
        store = try members.optionalString("store")
        url = try members.string("url")
        size = members.object["size"] == nil ? nil : try members.integer("size")
        limits = try members.limits()
    }
}

/// What a begin gave: a lease, or deletions to be settled first.
public struct UploadClaim: WireCodable, Equatable {
    /// Seconds until the lease ends unless it is renewed; 0 when nothing was claimed.
    public var leaseSeconds: Int64
    /// Deletions of the same place that must be carried out before it can be claimed.
    public var toSettle: [PendingDeletion]

    public init(leaseSeconds: Int64, toSettle: [PendingDeletion] = []) {
        self.leaseSeconds = leaseSeconds
        self.toSettle = toSettle
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("lease_seconds", leaseSeconds)
            writer.field("to_settle", array: toSettle) { $1.write(to: &$0) }
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        leaseSeconds = try members.integer("lease_seconds")
        toSettle = try members.values("to_settle")
    }
}

/// `uploads.renew`: prolongs the leases of one node's running attempts, all in one exchange.
public struct RenewUploads: RegistryOperation {
    public typealias Response = HeldAttempts
    public static let name = "uploads.renew"
    public static let effect = RegistryEffect.repeatable

    public var holder: Holder
    public var attempts: [String]

    public init(holder: Holder, attempts: [String]) {
        self.holder = holder
        self.attempts = attempts
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("holder")
            holder.write(to: &writer)
            writer.field("attempts", strings: attempts)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        holder = try members.value("holder")
        attempts = try members.strings("attempts")
    }
}

/// Which of the attempts still hold. The others must stop, or are over.
public struct HeldAttempts: WireCodable, Equatable {
    public var held: [String]

    public init(held: [String]) { self.held = held }

    public func write(to writer: inout JSONWriter) {
        writer.object { $0.field("held", strings: held) }
    }

    public init(json: JSONValue) throws(JSONShapeError) { held = try JSONMembers(json).strings("held") }
}

/// `uploads.finish`: `saving → active` with size, digests and location in one transaction; `leaseLost` when the attempt's
/// lease has passed on or the image is gone.
public struct FinishUpload: RegistryOperation {
    public typealias Response = Image
    public static let name = "uploads.finish"
    public static let effect = RegistryEffect.once

    public var attempt: String
    public var size: Int64
    public var checksum: String
    public var hashAlgorithm: String
    public var hashValue: String
    /// What tells these bytes from any later ones at the same place; the store's own word.
    public var identity: String?
    /// The size that a guest sees, in bytes, where the data tells.
    public var virtualSize: Int64?
    /// The format that the data was held against: the image's must still be that; `nil` asks for nothing.
    public var diskFormat: String?
    /// Of a session: hexadecimal digests that the data was held against, by the names of their algorithms.
    public var digests: [String: String]

    public init(
        attempt: String,
        size: Int64,
        checksum: String,
        hashAlgorithm: String,
        hashValue: String,
        identity: String?,
        virtualSize: Int64? = nil,
        diskFormat: String? = nil,
        digests: [String: String] = [:]
    ) {
        self.attempt = attempt
        self.size = size
        self.checksum = checksum
        self.hashAlgorithm = hashAlgorithm
        self.hashValue = hashValue
        self.identity = identity
        self.virtualSize = virtualSize
        self.diskFormat = diskFormat
        self.digests = digests
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("attempt", attempt)
            writer.field("size", size)
            writer.field("checksum", checksum)
            writer.field("os_hash_algo", hashAlgorithm)
            writer.field("os_hash_value", hashValue)
            writer.field("identity", identity)
            writer.field("virtual_size", virtualSize)
            writer.field("disk_format", diskFormat)
            writer.field(digests: digests)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        attempt = try members.string("attempt")
        size = try members.integer("size")
        checksum = try members.string("checksum")
        hashAlgorithm = try members.string("os_hash_algo")
        hashValue = try members.string("os_hash_value")
        identity = try members.optionalString("identity")
        virtualSize = try members.optionalInteger("virtual_size")
        diskFormat = try members.optionalString("disk_format")
        digests = try members.digestsIfAny()
    }
}

/// `uploads.abort`: gives `queued` back. An attempt that was finished already is left alone, and the answer says so.
public struct AbortUpload: RegistryOperation {
    public typealias Response = AbortedUpload
    public static let name = "uploads.abort"
    public static let effect = RegistryEffect.repeatable

    public var attempt: String
    /// Whether the node has removed the attempt's bytes itself; otherwise they are queued for deletion.
    public var isDiscarded: Bool
    /// Whether a location on the web stays with the record, of which nobody reads it: the image is queued. For data that
    /// was read and is not what its client said (Image API v2, "Locations API").
    public var keepsLocation: Bool

    public init(attempt: String, isDiscarded: Bool, keepsLocation: Bool = false) {
        self.attempt = attempt
        self.isDiscarded = isDiscarded
        self.keepsLocation = keepsLocation
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("attempt", attempt)
            writer.field("discarded", isDiscarded)
            if keepsLocation { writer.field("keeps_location", true) }
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        attempt = try members.string("attempt")
        isDiscarded = try members.bool("discarded")
        keepsLocation = try members.object["keeps_location"] == nil ? false : members.bool("keeps_location")
    }
}

public struct AbortedUpload: WireCodable, Equatable {
    /// The attempt had been finished: its bytes are live and must stay.
    public var isFinished: Bool

    public init(isFinished: Bool) { self.isFinished = isFinished }

    public func write(to writer: inout JSONWriter) {
        writer.object { $0.field("finished", isFinished) }
    }

    public init(json: JSONValue) throws(JSONShapeError) { isFinished = try JSONMembers(json).bool("finished") }
}

/// `uploads.check`: what the registry knows of attempts whose temporary names were found in a store.
public struct CheckAttempts: RegistryOperation {
    public typealias Response = AttemptStates
    public static let name = "uploads.check"
    public static let effect = RegistryEffect.reads

    public var attempts: [String]

    public init(attempts: [String]) { self.attempts = attempts }

    public func write(to writer: inout JSONWriter) {
        writer.object { $0.field("attempts", strings: attempts) }
    }

    public init(json: JSONValue) throws(JSONShapeError) { attempts = try JSONMembers(json).strings("attempts") }
}

/// Attempts that are in neither list are over, and nothing of them is wanted.
public struct AttemptStates: WireCodable, Equatable {
    /// Their data is live.
    public var finished: [String]
    /// They hold a lease, or their deletion is queued.
    public var pending: [String]

    public init(finished: [String], pending: [String]) {
        self.finished = finished
        self.pending = pending
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("finished", strings: finished)
            writer.field("pending", strings: pending)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        finished = try members.strings("finished")
        pending = try members.strings("pending")
    }
}
