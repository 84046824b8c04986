public import ImageModel
public import WireJSON

// Who may do what is the API's to decide, by the image. So what it reads comes with the image, and what it writes names
// the revision that it decided on.

/// `members.list`: an image that the caller may see by its id, and of its members those that the caller may see: all of
/// them for its owner and for administrators, for others their own project alone.
public struct ListMembers: ImagePartsOperation {
    public typealias Response = ImageMembers
    public static let name = "members.list"
    public static let effect = RegistryEffect.reads

    public var image: ImageID

    public init(image: ImageID) { self.image = image }
}

/// An image, and members of it in the order in which they were added.
public struct ImageMembers: WireCodable, Equatable {
    public var image: Image
    public var members: [ImageMember]

    public init(image: Image, members: [ImageMember]) {
        self.image = image
        self.members = members
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("image")
            image.write(to: &writer)
            writer.field("members", array: members) { $1.write(to: &$0) }
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        image = try members.value("image")
        self.members = try members.values("members")
    }
}

/// `members.show`: an image that the caller may see by its id, and one member of it.
public struct ShowMember: RegistryOperation {
    public typealias Response = ImageWithMember
    public static let name = "members.show"
    public static let effect = RegistryEffect.reads

    public var image: ImageID
    public var member: String

    public init(image: ImageID, member: String) {
        self.image = image
        self.member = member
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("image", image.text)
            writer.field("member", member)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        image = try members.imageID("image")
        member = try members.string("member")
    }
}

public struct ImageWithMember: WireCodable, Equatable {
    public var image: Image
    /// `nil` when there is no such member, or none that the caller may see.
    public var member: ImageMember?

    public init(image: Image, member: ImageMember?) {
        self.image = image
        self.member = member
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("image")
            image.write(to: &writer)
            if let member {
                writer.name("member")
                member.write(to: &writer)
            }
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        image = try members.value("image")
        member = try members.optionalValue("member")
    }
}

/// `members.add`: shares an image with one more project, which is `pending`. `limitExceeded` when the image has `quota`
/// members already, `duplicate` when the project is one of them.
public struct AddMember: RegistryOperation {
    public typealias Response = ImageMember
    public static let name = "members.add"
    public static let effect = RegistryEffect.once

    public var membership: Membership
    /// How many members the image may have; negative for any number.
    public var quota: Int64

    public init(_ membership: Membership, quota: Int64) {
        self.membership = membership
        self.quota = quota
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            membership.writeMembers(to: &writer)
            writer.field("quota", quota)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        membership = try Membership(members)
        quota = try members.integer("quota")
    }
}

/// `members.update`: how a member answers. `notFound` when the caller may see no such member.
public struct UpdateMember: RegistryOperation {
    public typealias Response = ImageMember
    public static let name = "members.update"
    public static let effect = RegistryEffect.once

    public var membership: Membership
    public var status: MemberStatus

    public init(_ membership: Membership, status: MemberStatus) {
        self.membership = membership
        self.status = status
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            membership.writeMembers(to: &writer)
            writer.field("status", status.rawValue)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        membership = try Membership(members)
        status = try members.word("status")
    }
}

/// `members.remove`: shares an image with one project less; nothing is left of the membership.
public struct RemoveMember: RegistryOperation {
    public typealias Response = Done
    public static let name = "members.remove"
    public static let effect = RegistryEffect.once

    public var membership: Membership

    public init(_ membership: Membership) { self.membership = membership }

    public func write(to writer: inout JSONWriter) {
        writer.object { membership.writeMembers(to: &$0) }
    }

    public init(json: JSONValue) throws(JSONShapeError) { membership = try Membership(JSONMembers(json)) }
}

extension ImageMember: WireCodable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("image", image.text)
            writer.field("member", member)
            writer.field("status", status.rawValue)
            writer.field("created_at", createdAt.microseconds)
            writer.field("updated_at", updatedAt.microseconds)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        self.init(
            image: try members.imageID("image"),
            member: try members.string("member"),
            status: try members.word("status"),
            createdAt: Timestamp(microseconds: try members.integer("created_at")),
            updatedAt: Timestamp(microseconds: try members.integer("updated_at"))
        )
    }
}
