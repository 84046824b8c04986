public import WireJSON

/// How much the project that an image belongs to may use. It travels with the operations that need room; the registry
/// compares it with its counters in the transaction that takes the room. `nil`: no limit.
///
/// A limit in mebibytes bounds the whole mebibytes of what is used, as Keystone's unified limits count.
public struct UsageLimits: WireCodable, Hashable {
    /// Bytes of stored data (`user_storage_quota`), for uploads of unknown size as well.
    public var storageQuota: Int64?
    /// Images of any state but deleted ones (`image_count_total`).
    public var imageCount: Int64?
    /// Stored data (`image_size_total`); an upload of unknown size may go beyond it.
    public var storedMebibytes: Int64?
    /// Data that waits to be imported (`image_stage_total`); staging an unknown size may go beyond it.
    public var stagedMebibytes: Int64?
    /// Images whose data is on its way (`image_count_uploading`).
    public var uploadingCount: Int64?

    public init(
        storageQuota: Int64? = nil,
        imageCount: Int64? = nil,
        storedMebibytes: Int64? = nil,
        stagedMebibytes: Int64? = nil,
        uploadingCount: Int64? = nil
    ) {
        self.storageQuota = storageQuota
        self.imageCount = imageCount
        self.storedMebibytes = storedMebibytes
        self.stagedMebibytes = stagedMebibytes
        self.uploadingCount = uploadingCount
    }

    public static let none = UsageLimits()

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("storage_quota", storageQuota)
            writer.field("image_count", imageCount)
            writer.field("stored_mebibytes", storedMebibytes)
            writer.field("staged_mebibytes", stagedMebibytes)
            writer.field("uploading_count", uploadingCount)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        storageQuota = try members.optionalInteger("storage_quota")
        imageCount = try members.optionalInteger("image_count")
        storedMebibytes = try members.optionalInteger("stored_mebibytes")
        stagedMebibytes = try members.optionalInteger("staged_mebibytes")
        uploadingCount = try members.optionalInteger("uploading_count")
    }
}

extension JSONWriter {
    /// The member `limits` of an operation, where there are any.
    mutating func field(limits: UsageLimits) {
        guard limits != .none else { return }
        name("limits")
        limits.write(to: &self)
    }
}

extension JSONMembers {
    func limits() throws(JSONShapeError) -> UsageLimits {
        object["limits"] == nil ? .none : try value("limits")
    }
}
