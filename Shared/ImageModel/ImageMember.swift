/// A project with which an image is shared, and how it answers to that (Image API v2, "Members").
public struct ImageMember: Sendable, Equatable {
    public var image: ImageID
    /// The project's id. Nobody checks that there is such a project.
    public var member: String
    public var status: MemberStatus
    public var createdAt: Timestamp
    public var updatedAt: Timestamp

    public init(
        image: ImageID,
        member: String,
        status: MemberStatus = .pending,
        createdAt: Timestamp,
        updatedAt: Timestamp
    ) {
        self.image = image
        self.member = member
        self.status = status
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// What is said of a project that is no member, or that the caller may not know to be one.
    public static func absence(of member: String, from image: ImageID) -> String {
        "\(member.excerpt) not found in the member list of the image \(image)."
    }
}

/// Whether a project wants to see an image in its lists. A look-up by id opens the image to every member, whatever it
/// answered; any answer may follow any other.
public enum MemberStatus: String, Sendable, CaseIterable {
    case pending, accepted, rejected
}
