public import ImageModel
public import WireJSON

/// `images.show`: one image that the caller may see by its id.
public struct ShowImage: ImageIDOperation {
    public typealias Response = Image
    public static let name = "images.show"
    public static let effect = RegistryEffect.reads

    public var id: ImageID

    public init(id: ImageID) { self.id = id }
}

/// `images.list`: one page of what the caller may list.
public struct ListImages: RegistryOperation {
    public typealias Response = ImagePage
    public static let name = "images.list"
    public static let effect = RegistryEffect.reads

    public var query: ImageListQuery

    public init(query: ImageListQuery) { self.query = query }

    public func write(to writer: inout JSONWriter) { query.write(to: &writer) }
    public init(json: JSONValue) throws(JSONShapeError) { query = try ImageListQuery(json: json) }
}

/// A page of images in the order that was asked for.
public struct ImagePage: WireCodable, Equatable {
    public var images: [Image]

    public init(images: [Image]) { self.images = images }

    public func write(to writer: inout JSONWriter) {
        writer.object { $0.field("images", array: images) { $1.write(to: &$0) } }
    }

    public init(json: JSONValue) throws(JSONShapeError) { try self.init(rereading: json) }

    public init(reading reader: inout JSONReader) throws(JSONReadError) {
        var found: [Image]?
        try reader.beginObject("")
        while let member = try reader.nextName() {
            if case "images" = member { found = try reader.values("images") } else { try reader.skip() }
        }
        guard let found else { throw .shape(JSONShapeError(member: "images", reason: "is missing")) }
        images = found
    }
}

/// `images.create`: a new record. The registry sets times and revision; `duplicate` when the id was ever used,
/// `limitExceeded` when its owner may have no more.
public struct CreateImage: RegistryOperation {
    public typealias Response = Image
    public static let name = "images.create"
    public static let effect = RegistryEffect.once

    public var image: Image
    /// What the image's owner may have.
    public var limits: UsageLimits

    public init(image: Image, limits: UsageLimits = .none) {
        self.image = image
        self.limits = limits
    }

    /// The image's members, and the limits beside them.
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            image.writeMembers(to: &writer)
            writer.field(limits: limits)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        image = try Image(json: json)
        limits = try JSONMembers(json).limits()
    }
}

/// `images.update`: puts name, visibility, flags, owner, formats, minima, tags and properties as `image` has them, and,
/// where `status` differs, moves it between `active` and `deactivated`; all of it only while the record is at `image.revision`, otherwise
/// `changedMeanwhile`. Sizes, digests, times and locations are not taken from here (``RelocateImage``).
public struct UpdateImage: RegistryOperation {
    public typealias Response = Image
    public static let name = "images.update"
    public static let effect = RegistryEffect.once

    public var image: Image

    public init(image: Image) { self.image = image }

    public func write(to writer: inout JSONWriter) { image.write(to: &writer) }
    public init(json: JSONValue) throws(JSONShapeError) { image = try Image(json: json) }
}

/// `images.delete`: the record is gone for everybody from here on; its id stays taken. What must go from the stores is
/// answered, claimed for `holder`; the record's last traces go with the last of them.
///
/// With `scrubAfter` an active image with data becomes `pending_delete` instead and nothing is answered: its data waits
/// for a scrubber (``ClaimScrubs``), and until that has begun the image can be restored (``UndeleteImage``). One that is
/// deactivated is `invalid` then.
public struct DeleteImage: RegistryOperation {
    public typealias Response = PendingDeletions
    public static let name = "images.delete"
    public static let effect = RegistryEffect.once

    public var id: ImageID
    /// What the caller's decision was based on; `changedMeanwhile` when the record has moved on.
    public var revision: Int64
    /// The API node that will delete the data.
    public var holder: Holder
    /// Seconds before the data may go; `nil` for at once.
    public var scrubAfter: Int64?

    public init(id: ImageID, revision: Int64, holder: Holder, scrubAfter: Int64? = nil) {
        self.id = id
        self.revision = revision
        self.holder = holder
        self.scrubAfter = scrubAfter
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", id.text)
            writer.field("revision", revision)
            writer.name("holder")
            holder.write(to: &writer)
            if let scrubAfter { writer.field("scrub_after", scrubAfter) }
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        id = try members.imageID("id")
        revision = try members.integer("revision")
        holder = try members.value("holder")
        scrubAfter = try members.optionalInteger("scrub_after")
    }
}

/// `images.restore`: gives a record back whose data the store refused to delete. Only while nothing of it is gone.
public struct RestoreImage: ImageIDOperation {
    public typealias Response = Done
    public static let name = "images.restore"
    public static let effect = RegistryEffect.once

    public var id: ImageID

    public init(id: ImageID) { self.id = id }
}
