public import WireJSON

/// `usage.show`: what a project uses.
public struct ShowUsage: RegistryOperation {
    public typealias Response = ProjectUsage
    public static let name = "usage.show"
    public static let effect = RegistryEffect.reads

    public var project: String

    public init(project: String) { self.project = project }

    public func write(to writer: inout JSONWriter) {
        writer.object { $0.field("project", project) }
    }

    public init(json: JSONValue) throws(JSONShapeError) { project = try JSONMembers(json).string("project") }
}

/// What a project's images amount to. What running uploads have declared or reserved is in it.
public struct ProjectUsage: WireCodable, Equatable {
    /// Images of any state but deleted ones.
    public var imageCount: Int64
    /// Images whose data is on its way: `saving`, `uploading` or `importing`.
    public var uploadingCount: Int64
    /// Size by the number of live locations, over all images.
    public var storedBytes: Int64
    /// Sizes of images that are `uploading` or `importing`.
    public var stagedBytes: Int64

    public init(imageCount: Int64 = 0, uploadingCount: Int64 = 0, storedBytes: Int64 = 0, stagedBytes: Int64 = 0) {
        self.imageCount = imageCount
        self.uploadingCount = uploadingCount
        self.storedBytes = storedBytes
        self.stagedBytes = stagedBytes
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("image_count", imageCount)
            writer.field("uploading_count", uploadingCount)
            writer.field("stored_bytes", storedBytes)
            writer.field("staged_bytes", stagedBytes)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        imageCount = try members.integer("image_count")
        uploadingCount = try members.integer("uploading_count")
        storedBytes = try members.integer("stored_bytes")
        stagedBytes = try members.integer("staged_bytes")
    }
}

/// `uploads.reserve`: room for the next bytes of an upload of unknown size, before they are stored, within the quota that
/// it began with.
///
/// `limitExceeded` when less than `needed` is left; `leaseLost` when the attempt does not hold any more.
public struct ReserveUpload: RegistryOperation {
    public typealias Response = UploadReservation
    public static let name = "uploads.reserve"
    public static let effect = RegistryEffect.repeatable

    public var attempt: String
    /// The bytes of the upload so far, with those that wait to be stored.
    public var needed: Int64
    /// What it would like to have, so that it need not ask again soon; as much of it as there is is given.
    public var wanted: Int64

    public init(attempt: String, needed: Int64, wanted: Int64) {
        self.attempt = attempt
        self.needed = needed
        self.wanted = wanted
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("attempt", attempt)
            writer.field("needed", needed)
            writer.field("wanted", wanted)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        attempt = try members.string("attempt")
        needed = try members.integer("needed")
        wanted = try members.integer("wanted")
    }
}

/// How many bytes an upload may have in all, for now.
public struct UploadReservation: WireCodable, Equatable {
    public var byteCount: Int64

    public init(byteCount: Int64) { self.byteCount = byteCount }

    public func write(to writer: inout JSONWriter) {
        writer.object { $0.field("byte_count", byteCount) }
    }

    public init(json: JSONValue) throws(JSONShapeError) { byteCount = try JSONMembers(json).integer("byte_count") }
}
