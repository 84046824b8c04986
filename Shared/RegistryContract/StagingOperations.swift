public import ImageModel
public import WireJSON

// Data that waits on a node to be imported. An attempt at staging holds a lease like an attempt at uploading, and is
// renewed, aborted, released and checked by the same operations.

/// `stagings.begin`: claims a queued image for one attempt at staging data: `queued → uploading`, a lease, and the intended
/// location, all before the first byte. Answers deletions instead where an earlier attempt's bytes still have to go from the
/// same place (see ``BeginUpload``).
public struct BeginStaging: RegistryOperation {
    public typealias Response = UploadClaim
    public static let name = "stagings.begin"
    public static let effect = RegistryEffect.once

    public var image: ImageID
    /// Unique to this attempt; part of its temporary name.
    public var attempt: String
    public var holder: Holder
    /// The staging directory and its node, under the one name that the queue of deletions knows it by.
    public var store: String
    public var url: String
    /// How many bytes the data has, where that was declared.
    public var size: Int64?
    /// What the image's owner may use; `limitExceeded` where there is no room.
    public var limits: UsageLimits

    public init(
        image: ImageID,
        attempt: String,
        holder: Holder,
        store: String,
        url: String,
        size: Int64? = nil,
        limits: UsageLimits = .none
    ) {
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
            writer.field("store", store)
            writer.field("url", url)
            if let size { writer.field("size", size) }
            writer.field(limits: limits)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        image = try members.imageID("image")
        attempt = try members.string("attempt")
        holder = try members.value("holder")
        store = try members.string("store")
        url = try members.string("url")
        size = members.object["size"] == nil ? nil : try members.integer("size")
        limits = try members.limits()
    }
}

/// `stagings.finish`: the data lies there complete. The image stays `uploading`, with its size, and its location becomes
/// `staged`; `leaseLost` when the attempt's lease has passed on or the image is gone.
public struct FinishStaging: RegistryOperation {
    public typealias Response = Image
    public static let name = "stagings.finish"
    public static let effect = RegistryEffect.once

    public var attempt: String
    public var size: Int64
    /// What tells these bytes from any later ones at the same place; the store's own word.
    public var identity: String?
    /// The URL under which other nodes reach the one that has the data (`os_glance_stage_host`), where it is known.
    public var host: String?

    public init(attempt: String, size: Int64, identity: String?, host: String?) {
        self.attempt = attempt
        self.size = size
        self.identity = identity
        self.host = host
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("attempt", attempt)
            writer.field("size", size)
            writer.field("identity", identity)
            writer.field("host", host)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        attempt = try members.string("attempt")
        size = try members.integer("size")
        identity = try members.optionalString("identity")
        host = try members.optionalString("host")
    }
}
