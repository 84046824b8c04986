public import ImageModel
public import WireJSON

// What several operations say in the same way, each written and read in one place.

/// An operation on an image that needs no more than its id.
public protocol ImageIDOperation: RegistryOperation {
    var id: ImageID { get }
    init(id: ImageID)
}

extension ImageIDOperation {
    public func write(to writer: inout JSONWriter) {
        writer.object { $0.field("id", id.text) }
    }

    public init(json: JSONValue) throws(JSONShapeError) { self.init(id: try JSONMembers(json).imageID("id")) }
}

/// An operation that reads what belongs to an image.
public protocol ImagePartsOperation: RegistryOperation {
    var image: ImageID { get }
    init(image: ImageID)
}

extension ImagePartsOperation {
    public func write(to writer: inout JSONWriter) {
        writer.object { $0.field("image", image.text) }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        self.init(image: try JSONMembers(json).imageID("image"))
    }
}

/// An operation on queued deletions, by their numbers.
public protocol DeletionIDsOperation: RegistryOperation {
    var ids: [Int64] { get }
    init(ids: [Int64])
}

extension DeletionIDsOperation {
    public func write(to writer: inout JSONWriter) {
        writer.object { $0.field("ids", array: ids) { $0.integer($1) } }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        self.init(ids: try JSONMembers(json).integers("ids"))
    }
}

/// Who takes queued deletions, of which stores, and how many of them at the most.
public struct DeletionClaim: Sendable, Equatable {
    public var holder: Holder
    /// Those that the holder reaches; `""` stands for the one of single-store mode.
    public var stores: [String]
    public var limit: Int64

    public init(holder: Holder, stores: [String], limit: Int64) {
        self.holder = holder
        self.stores = stores
        self.limit = limit
    }

    func writeMembers(to writer: inout JSONWriter) {
        writer.name("holder")
        holder.write(to: &writer)
        writer.field("stores", strings: stores)
        writer.field("limit", limit)
    }

    init(_ members: JSONMembers) throws(JSONShapeError) {
        holder = try members.value("holder")
        stores = try members.strings("stores")
        limit = try members.integer("limit")
    }
}

/// A project as a member of an image, as the caller knows them.
public struct Membership: Sendable, Equatable {
    public var image: ImageID
    /// What the caller's decision was based on; `changedMeanwhile` when the image has moved on.
    public var revision: Int64
    public var member: String

    public init(image: ImageID, revision: Int64, member: String) {
        self.image = image
        self.revision = revision
        self.member = member
    }

    func writeMembers(to writer: inout JSONWriter) {
        writer.field("image", image.text)
        writer.field("revision", revision)
        writer.field("member", member)
    }

    init(_ members: JSONMembers) throws(JSONShapeError) {
        image = try members.imageID("image")
        revision = try members.integer("revision")
        member = try members.string("member")
    }
}

extension JSONMembers {
    fileprivate func integers(_ name: String) throws(JSONShapeError) -> [Int64] {
        var integers: [Int64] = []
        for element in try array(name) {
            guard let integer = element.integerValue else {
                throw JSONShapeError(member: name, reason: "holds \(element.kind)")
            }
            integers.append(integer)
        }
        return integers
    }

    func positiveInteger(_ name: String) throws(JSONShapeError) -> Int64 {
        let integer = try integer(name)
        guard integer > 0 else { throw JSONShapeError(member: name, reason: "is not positive") }
        return integer
    }
}
