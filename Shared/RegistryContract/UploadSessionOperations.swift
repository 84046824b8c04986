public import ImageModel
public import WireJSON

// Uploads that come in parts. A session is an attempt whose lease belongs to no process: it lives from one sign of life to
// the next for as long as the registry says, and is finished, aborted and checked by the operations of uploads.

/// `sessions.begin`: as ``BeginUpload``, for data that comes bit by bit.
public struct BeginSession: RegistryOperation {
    public typealias Response = UploadClaim
    public static let name = "sessions.begin"
    public static let effect = RegistryEffect.once

    /// What claims the image, and whatever is to be counted of its data.
    public var upload: BeginUpload
    public var terms: UploadSessionTerms
    /// Length in bytes of the only part, or of the first.
    public var byteCount: Int64

    public init(upload: BeginUpload, terms: UploadSessionTerms, byteCount: Int64) {
        self.upload = upload
        self.terms = terms
        self.byteCount = byteCount
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("upload")
            upload.write(to: &writer)
            writer.name("terms")
            terms.write(to: &writer)
            writer.field("byte_count", byteCount)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        upload = try members.value("upload")
        terms = try members.value("terms")
        byteCount = try members.positiveInteger("byte_count")
    }
}

/// `sessions.extend`: one more part for the parallel session that an image has on a node, behind the parts before it;
/// `wrongState` where the image has none, or one that was closed; `limitExceeded` for too many parts or bytes; `invalid` where
/// another digest was declared before.
public struct ExtendSession: RegistryOperation {
    public typealias Response = UploadSessionRecord
    public static let name = "sessions.extend"
    public static let effect = RegistryEffect.once

    public var image: ImageID
    public var holder: Holder
    public var byteCount: Int64
    /// The most that all parts together may have, in bytes.
    public var limit: Int64
    /// Of what the project uses; the storage quota counts as it was when the session began.
    public var limits: UsageLimits
    /// What is expected of the whole, besides what was said before: see ``UploadSessionTerms/digests``.
    public var digests: [String: String]

    public init(
        image: ImageID,
        holder: Holder,
        byteCount: Int64,
        limit: Int64,
        limits: UsageLimits = .none,
        digests: [String: String] = [:]
    ) {
        self.image = image
        self.holder = holder
        self.byteCount = byteCount
        self.limit = limit
        self.limits = limits
        self.digests = digests
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("image", image.text)
            writer.name("holder")
            holder.write(to: &writer)
            writer.field("byte_count", byteCount)
            writer.field("limit", limit)
            writer.field(limits: limits)
            writer.field(digests: digests)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        image = try members.imageID("image")
        holder = try members.value("holder")
        byteCount = try members.positiveInteger("byte_count")
        limit = try members.integer("limit")
        limits = try members.limits()
        digests = try members.digestsIfAny()
    }
}

/// `sessions.show`: one session of an image, for whoever may change the image; `notFound` for everybody else.
public struct ShowSession: RegistryOperation {
    public typealias Response = UploadSessionRecord
    public static let name = "sessions.show"
    public static let effect = RegistryEffect.reads

    public var image: ImageID
    public var attempt: String

    public init(image: ImageID, attempt: String) {
        self.image = image
        self.attempt = attempt
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("image", image.text)
            writer.field("attempt", attempt)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        image = try members.imageID("image")
        attempt = try members.string("attempt")
    }
}

/// `sessions.record`: what a session has by now on durable storage, which is also its sign of life; `leaseLost` when it is
/// over, or another node's; `wrongState` where it cannot be closed, because it has other parts than were meant or not all of
/// their bytes; `invalid` where another digest was declared before.
public struct RecordSession: RegistryOperation {
    public typealias Response = SessionLease
    public static let name = "sessions.record"
    public static let effect = RegistryEffect.repeatable

    public var attempt: String
    /// The node that has the bytes.
    public var holder: Holder
    /// In order and apart from each other.
    public var received: [Range<Int64>]
    /// Length of all parts together in bytes, where these are to be all that there will ever be; `nil` where others may
    /// follow.
    public var closing: Int64?
    /// What is expected of the whole, besides what was said before: see ``UploadSessionTerms/digests``.
    public var digests: [String: String]

    public init(
        attempt: String,
        holder: Holder,
        received: [Range<Int64>],
        closing: Int64? = nil,
        digests: [String: String] = [:]
    ) {
        self.attempt = attempt
        self.holder = holder
        self.received = received
        self.closing = closing
        self.digests = digests
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("attempt", attempt)
            writer.name("holder")
            holder.write(to: &writer)
            writer.field("received", RangeList.text(received))
            writer.field("closing", closing)
            writer.field(digests: digests)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        attempt = try members.string("attempt")
        holder = try members.value("holder")
        received = try RangeList.ranges(members, "received")
        closing = try members.optionalInteger("closing")
        digests = try members.digestsIfAny()
    }
}

/// How long a session lives on.
public struct SessionLease: WireCodable, Equatable {
    public var leaseSeconds: Int64
    public var expiresAt: Timestamp

    public init(leaseSeconds: Int64, expiresAt: Timestamp) {
        self.leaseSeconds = leaseSeconds
        self.expiresAt = expiresAt
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("lease_seconds", leaseSeconds)
            writer.field("expires_at", expiresAt.microseconds)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        leaseSeconds = try members.integer("lease_seconds")
        expiresAt = Timestamp(microseconds: try members.integer("expires_at"))
    }
}
