public import ImageModel
public import WireJSON

/// Data that has to go from a store, and how to tell it from anything that may come after it at the same place.
public struct PendingDeletion: WireCodable, Equatable {
    public var id: Int64
    public var image: ImageID
    public var store: String?
    public var url: String
    /// The attempt that wrote it.
    public var attempt: String
    /// The store's word for exactly these bytes; `nil` where it has none, or where the attempt was never finished.
    public var identity: String?
    /// Whether the bytes belong to an attempt that never became live.
    public var isUnfinished: Bool

    public init(
        id: Int64,
        image: ImageID,
        store: String?,
        url: String,
        attempt: String,
        identity: String?,
        isUnfinished: Bool
    ) {
        self.id = id
        self.image = image
        self.store = store
        self.url = url
        self.attempt = attempt
        self.identity = identity
        self.isUnfinished = isUnfinished
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", id)
            writer.field("image", image.text)
            if let store { writer.field("store", store) }
            writer.field("url", url)
            writer.field("attempt", attempt)
            if let identity { writer.field("identity", identity) }
            writer.field("unfinished", isUnfinished)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        id = try members.integer("id")
        image = try members.imageID("image")
        store = try members.optionalString("store")
        url = try members.string("url")
        attempt = try members.string("attempt")
        identity = try members.optionalString("identity")
        isUnfinished = try members.bool("unfinished")
    }
}

public struct PendingDeletions: WireCodable, Equatable {
    public var deletions: [PendingDeletion]

    public init(deletions: [PendingDeletion]) { self.deletions = deletions }

    public func write(to writer: inout JSONWriter) {
        writer.object { $0.field("deletions", array: deletions) { $1.write(to: &$0) } }
    }

    public init(json: JSONValue) throws(JSONShapeError) { deletions = try JSONMembers(json).values("deletions") }
}

/// `deletions.claim`: takes deletions that nobody is at, for a while.
public struct ClaimDeletions: RegistryOperation {
    public typealias Response = PendingDeletions
    public static let name = "deletions.claim"
    public static let effect = RegistryEffect.repeatable

    public var claim: DeletionClaim

    public init(_ claim: DeletionClaim) { self.claim = claim }

    public func write(to writer: inout JSONWriter) {
        writer.object { claim.writeMembers(to: &$0) }
    }

    public init(json: JSONValue) throws(JSONShapeError) { claim = try DeletionClaim(JSONMembers(json)) }
}

/// `deletions.finish`: the data is gone; so are the rows, and with the last of a deleted image's its properties and tags.
public struct FinishDeletions: DeletionIDsOperation {
    public typealias Response = Done
    public static let name = "deletions.finish"
    public static let effect = RegistryEffect.repeatable

    public var ids: [Int64]

    public init(ids: [Int64]) { self.ids = ids }
}

/// `deletions.postpone`: the store did not do it; try again later, each time after a longer pause.
public struct PostponeDeletions: DeletionIDsOperation {
    public typealias Response = Done
    public static let name = "deletions.postpone"
    public static let effect = RegistryEffect.once

    public var ids: [Int64]

    public init(ids: [Int64]) { self.ids = ids }
}

/// `deletions.withdraw`: a store refused for good to delete what an image has let go of, which becomes the image's again.
/// What belongs to no image that is there, or to an attempt that came to nothing, stays queued.
public struct WithdrawDeletions: DeletionIDsOperation {
    public typealias Response = Done
    public static let name = "deletions.withdraw"
    public static let effect = RegistryEffect.repeatable

    public var ids: [Int64]

    public init(ids: [Int64]) { self.ids = ids }
}
