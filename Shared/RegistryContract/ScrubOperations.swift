public import ImageModel
public import WireJSON

/// `deletions.scrub`: takes deletions whose time has come, in the order of their numbers: those that `images.delete` put
/// off, and whatever else is queued and nobody is at. From then on each is a queued deletion like any other, and its
/// image cannot be restored.
public struct ClaimScrubs: RegistryOperation {
    public typealias Response = ScrubBatch
    public static let name = "deletions.scrub"
    public static let effect = RegistryEffect.repeatable

    public var holder: Holder
    /// The stores that the scrubber reaches; `""` stands for the one of single-store mode.
    public var stores: [String]
    /// The ``ScrubBatch/last`` of the batch before; 0 begins.
    public var after: Int64
    public var limit: Int64

    public init(holder: Holder, stores: [String], after: Int64, limit: Int64) {
        self.holder = holder
        self.stores = stores
        self.after = after
        self.limit = limit
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("holder")
            holder.write(to: &writer)
            writer.field("stores", strings: stores)
            writer.field("after", after)
            writer.field("limit", limit)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        holder = try members.value("holder")
        stores = try members.strings("stores")
        after = try members.integer("after")
        limit = try members.integer("limit")
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
public struct UndeleteImage: RegistryOperation {
    public typealias Response = Image
    public static let name = "images.undelete"
    public static let effect = RegistryEffect.once

    public var id: ImageID

    public init(id: ImageID) { self.id = id }

    public func write(to writer: inout JSONWriter) {
        writer.object { $0.field("id", id.text) }
    }

    public init(json: JSONValue) throws(JSONShapeError) { id = try JSONMembers(json).imageID("id") }
}
