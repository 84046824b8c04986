public import ImageModel
public import WireJSON

/// `images.relocate`: all that ``UpdateImage`` does, and makes the image's locations those of `image`, in their order. An
/// image that is `queued` and gets its first ones becomes `active` with the size and the digests of `image`. Under the
/// same condition on `image.revision`.
///
/// What is no longer named is queued for deletion, claimed for `holder`; data that is named elsewhere too stays. New
/// locations may not name what an upload wrote for another image (`invalid`), nor what is about to go (`wrongState`).
public struct RelocateImage: RegistryOperation {
    public typealias Response = RelocatedImage
    public static let name = "images.relocate"
    public static let effect = RegistryEffect.once

    public var image: Image
    /// The API node that will delete what is no longer named.
    public var holder: Holder
    /// What the image's owner may use; `limitExceeded` where new locations go beyond it.
    public var limits: UsageLimits

    public init(image: Image, holder: Holder, limits: UsageLimits = .none) {
        self.image = image
        self.holder = holder
        self.limits = limits
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("image")
            image.write(to: &writer)
            writer.name("holder")
            holder.write(to: &writer)
            writer.field(limits: limits)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        image = try members.value("image")
        holder = try members.value("holder")
        limits = try members.limits()
    }
}

/// An image with its new locations, and what has to go from the stores.
public struct RelocatedImage: WireCodable, Equatable {
    public var image: Image
    public var deletions: [PendingDeletion]

    public init(image: Image, deletions: [PendingDeletion] = []) {
        self.image = image
        self.deletions = deletions
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("image")
            image.write(to: &writer)
            writer.field("deletions", array: deletions) { $1.write(to: &$0) }
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        image = try members.value("image")
        deletions = try members.values("deletions")
    }
}

/// `images.digest`: records the digests of data that was read after the image had become active. Only where it has none
/// yet and still names the data; otherwise nothing happens.
public struct RecordDigests: RegistryOperation {
    public typealias Response = Done
    public static let name = "images.digest"
    public static let effect = RegistryEffect.repeatable

    public var image: ImageID
    /// The location that was read.
    public var url: String
    public var checksum: String
    public var hashAlgorithm: String
    public var hashValue: String

    public init(image: ImageID, url: String, checksum: String, hashAlgorithm: String, hashValue: String) {
        self.image = image
        self.url = url
        self.checksum = checksum
        self.hashAlgorithm = hashAlgorithm
        self.hashValue = hashValue
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("image", image.text)
            writer.field("url", url)
            writer.field("checksum", checksum)
            writer.field("os_hash_algo", hashAlgorithm)
            writer.field("os_hash_value", hashValue)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        image = try members.imageID("image")
        url = try members.string("url")
        checksum = try members.string("checksum")
        hashAlgorithm = try members.string("os_hash_algo")
        hashValue = try members.string("os_hash_value")
    }
}
