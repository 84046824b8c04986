public import ImageModel
public import WireJSON

/// `deletions.scrub`: takes deletions whose time has come, in the order of their numbers: those that `images.delete` put
/// off, and whatever else is queued and nobody is at. From then on each is a queued deletion like any other, and its
/// image cannot be restored.
public struct ClaimScrubs: RegistryOperation {
    public typealias Response = ScrubBatch
    public static let name = "deletions.scrub"
    public static let effect = RegistryEffect.repeatable

    public var claim: DeletionClaim
    /// The ``ScrubBatch/last`` of the batch before; 0 begins.
    public var after: Int64

    public init(_ claim: DeletionClaim, after: Int64) {
        self.claim = claim
        self.after = after
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            claim.writeMembers(to: &writer)
            writer.field("after", after)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        claim = try DeletionClaim(members)
        after = try members.integer("after")
    }
}

/// Deletions to be carried out, and where the next batch begins.
public struct ScrubBatch: WireCodable, Equatable {
    public var deletions: [PendingDeletion]
    /// The number of the last deletion that was looked at; `nil` when there are no more. Not all of them are in
    /// ``deletions``: what needs no store is done with already.
    public var last: Int64?

    public init(deletions: [PendingDeletion], last: Int64?) {
        self.deletions = deletions
        self.last = last
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("deletions", array: deletions) { $1.write(to: &$0) }
            if let last { writer.field("last", last) }
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        deletions = try members.values("deletions")
        last = try members.optionalInteger("last")
    }
}

/// `images.undelete`: makes an image active again whose deletion was put off, while nobody has begun to remove its data.
/// `notFound` for an id that never was, `wrongState` for an image in any other state.
public struct UndeleteImage: ImageIDOperation {
    public typealias Response = Image
    public static let name = "images.undelete"
    public static let effect = RegistryEffect.once

    public var id: ImageID

    public init(id: ImageID) { self.id = id }
}
