public import ImageModel
public import WireJSON

/// A copy of an image's data, and what was recorded of it when it was stored.
public struct StoredCopy: WireCodable, Equatable {
    /// The number of the location.
    public var id: Int64
    public var image: ImageID
    public var store: String?
    public var url: String
    /// In bytes.
    public var size: Int64
    /// MD5 in hexadecimal.
    public var checksum: String?
    public var hashAlgorithm: String?
    public var hashValue: String?

    public init(
        id: Int64,
        image: ImageID,
        store: String?,
        url: String,
        size: Int64,
        checksum: String?,
        hashAlgorithm: String?,
        hashValue: String?
    ) {
        self.id = id
        self.image = image
        self.store = store
        self.url = url
        self.size = size
        self.checksum = checksum
        self.hashAlgorithm = hashAlgorithm
        self.hashValue = hashValue
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", id)
            writer.field("image", image.text)
            if let store { writer.field("store", store) }
            writer.field("url", url)
            writer.field("size", size)
            writer.field("checksum", checksum)
            writer.field("os_hash_algo", hashAlgorithm)
            writer.field("os_hash_value", hashValue)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        id = try members.integer("id")
        image = try members.imageID("image")
        store = try members.optionalString("store")
        url = try members.string("url")
        size = try members.integer("size")
        checksum = try members.optionalString("checksum")
        hashAlgorithm = try members.optionalString("os_hash_algo")
        hashValue = try members.optionalString("os_hash_value")
    }
}

/// The next copy to be verified; `nil` when none is left.
public struct NextCopy: WireCodable, Equatable {
    public var copy: StoredCopy?
    /// For how long it is the caller's, unless that is renewed.
    public var leaseSeconds: Int64

    public init(copy: StoredCopy?, leaseSeconds: Int64) {
        self.copy = copy
        self.leaseSeconds = leaseSeconds
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            if let copy {
                writer.name("copy")
                copy.write(to: &writer)
            }
            writer.field("lease_seconds", leaseSeconds)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        copy = members.object["copy"] == nil ? nil : try members.value("copy")
        leaseSeconds = try members.integer("lease_seconds")
    }
}

/// `verifications.claim`: takes the copy in a store whose verification is the longest ago, for a while. Copies on the web
/// are nobody's to verify.
public struct ClaimVerification: RegistryOperation {
    public typealias Response = NextCopy
    public static let name = "verifications.claim"
    public static let effect = RegistryEffect.repeatable

    public var holder: Holder
    /// Where the copy is; `""` stands for the store of single-store mode.
    public var store: String
    /// Copies that were verified after this moment are left alone.
    public var before: Timestamp
    /// Of this image alone, whoever else is at it.
    public var image: ImageID?
    /// With `image`: the number of the copy before; 0 begins.
    public var after: Int64

    public init(holder: Holder, store: String, before: Timestamp, image: ImageID? = nil, after: Int64 = 0) {
        self.holder = holder
        self.store = store
        self.before = before
        self.image = image
        self.after = after
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("holder")
            holder.write(to: &writer)
            writer.field("store", store)
            writer.field("before", before.microseconds)
            if let image { writer.field("image", image.text) }
            writer.field("after", after)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        holder = try members.value("holder")
        store = try members.string("store")
        before = Timestamp(microseconds: try members.integer("before"))
        image = members.object["image"] == nil ? nil : try members.imageID("image")
        after = try members.integer("after")
    }
}

/// `verifications.renew`: goes on with a copy for another while; `isCurrent` tells whether it is still the caller's.
public struct RenewVerification: RegistryOperation {
    public typealias Response = VerificationState
    public static let name = "verifications.renew"
    public static let effect = RegistryEffect.repeatable

    public var holder: Holder
    public var id: Int64

    public init(holder: Holder, id: Int64) {
        self.holder = holder
        self.id = id
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("holder")
            holder.write(to: &writer)
            writer.field("id", id)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        holder = try members.value("holder")
        id = try members.integer("id")
    }
}

/// What reading a copy came to.
public enum VerificationResult: String, Sendable, CaseIterable {
    /// It is what was recorded; a mark of damage goes.
    case sound
    /// It is marked: other bytes than were stored.
    case digest
    /// It is marked: more bytes or fewer.
    case size
    /// It is marked: the store answers, and has it no more.
    case missing
    /// Nothing is known of it: the store did not give it. What is marked stays marked.
    case unread

    /// Whether the copy is not what was stored.
    public var isDamage: Bool { self == .missing || spoilsData }

    /// Whether there is data that is not what was stored, and that nobody is to be given. What is missing may come back.
    public var spoilsData: Bool { self == .digest || self == .size }
}

/// `verifications.record`: what became of a copy that was taken. `isCurrent` tells whether it still is an image's and the
/// caller's to verify; otherwise nothing was recorded.
public struct RecordVerification: RegistryOperation {
    public typealias Response = VerificationState
    public static let name = "verifications.record"
    public static let effect = RegistryEffect.once

    public var holder: Holder
    public var id: Int64
    public var result: VerificationResult

    public init(holder: Holder, id: Int64, result: VerificationResult) {
        self.holder = holder
        self.id = id
        self.result = result
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("holder")
            holder.write(to: &writer)
            writer.field("id", id)
            writer.field("result", result.rawValue)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        holder = try members.value("holder")
        id = try members.integer("id")
        result = try members.word("result")
    }
}

public struct VerificationState: WireCodable, Equatable {
    public var isCurrent: Bool

    public init(isCurrent: Bool) { self.isCurrent = isCurrent }

    public func write(to writer: inout JSONWriter) { writer.object { $0.field("current", isCurrent) } }

    public init(json: JSONValue) throws(JSONShapeError) { isCurrent = try JSONMembers(json).bool("current") }
}

/// `verifications.damage`: a page of the copies that are marked, in the order of their numbers.
public struct ListDamage: RegistryOperation {
    public typealias Response = DamagePage
    public static let name = "verifications.damage"
    public static let effect = RegistryEffect.reads

    /// The number of the last copy of the page before; 0 begins.
    public var after: Int64
    public var limit: Int64

    public init(after: Int64 = 0, limit: Int64) {
        self.after = after
        self.limit = limit
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("after", after)
            writer.field("limit", limit)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        after = try members.integer("after")
        limit = try members.integer("limit")
    }
}

/// A copy that is not what was stored.
public struct DamagedCopy: WireCodable, Equatable {
    public var copy: StoredCopy
    public var damage: VerificationResult
    /// When it was seen first.
    public var foundAt: Timestamp

    public init(copy: StoredCopy, damage: VerificationResult, foundAt: Timestamp) {
        self.copy = copy
        self.damage = damage
        self.foundAt = foundAt
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("copy")
            copy.write(to: &writer)
            writer.field("damage", damage.rawValue)
            writer.field("found_at", foundAt.microseconds)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        copy = try members.value("copy")
        damage = try members.word("damage")
        foundAt = Timestamp(microseconds: try members.integer("found_at"))
    }
}

public struct DamagePage: WireCodable, Equatable {
    public var copies: [DamagedCopy]
    /// How many are marked in all.
    public var total: Int64

    public init(copies: [DamagedCopy], total: Int64) {
        self.copies = copies
        self.total = total
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("copies", array: copies) { $1.write(to: &$0) }
            writer.field("total", total)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        copies = try members.values("copies")
        total = try members.integer("total")
    }
}
