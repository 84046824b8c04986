public import ImageModel
public import RegistryContract

/// The projects with which images are shared.
///
/// A membership is no part of its image's record: it leaves the image's times and revision alone.
public struct MemberTable {
    let connection: any SQLConnection

    public init(_ connection: any SQLConnection) { self.connection = connection }

    // MARK: Reading

    public func list(of id: ImageID, visibleTo caller: Caller) throws -> ImageMembers {
        let image = try ImageTable(connection).image(id, visibleTo: caller)
        return ImageMembers(image: image, members: try members(of: image, visibleTo: caller))
    }

    public func show(_ member: String, of id: ImageID, visibleTo caller: Caller) throws -> ImageWithMember {
        let image = try ImageTable(connection).image(id, visibleTo: caller)
        return ImageWithMember(image: image, member: try members(of: image, visibleTo: caller, only: member).first)
    }

    private static let columns = "member, status, created_at, updated_at"

    private func members(of image: Image, visibleTo caller: Caller, only member: String? = nil) throws -> [ImageMember]
    {
        var condition = Self.visible(of: image, to: caller)
        if let member { condition.add("member = ?", .text(member)) }
        return try connection.query(
            "SELECT \(Self.columns) FROM image_members WHERE \(condition.sql) ORDER BY created_at, member",
            condition.values
        ) { try Self.member(of: image.id, from: $0) }
    }

    /// The owner and administrators see every member of an image, others see themselves alone.
    private static func visible(of image: Image, to caller: Caller) -> SQLCondition {
        var condition = SQLCondition("image_id = ?", [.text(image.id.text)])
        guard !ImageTable.isMutable(image, by: caller) else { return condition }
        if let project = caller.project {
            condition.add("member = ?", .text(project))
        } else {
            condition.add("1 = 0")
        }
        return condition
    }

    private static func member(of image: ImageID, from row: any SQLRow) throws -> ImageMember {
        guard let status = MemberStatus(rawValue: row.text(1)) else {
            throw DatabaseError(.corrupt, "a member row holds a word that is none of ours")
        }
        return ImageMember(
            image: image,
            member: row.text(0),
            status: status,
            createdAt: Timestamp(microseconds: row.integer(2)),
            updatedAt: Timestamp(microseconds: row.integer(3))
        )
    }

    // MARK: Writing

    /// - Throws: `notFound` and `forbidden` for the image, `changedMeanwhile`, `limitExceeded`, `duplicate`.
    public func add(_ addition: AddMember, as caller: Caller, at now: Timestamp) throws -> ImageMember {
        let image = try decidedOn(addition.membership, caller)
        try ImageTable(connection).requireMutable(image, by: caller)
        try requireRoom(in: image, quota: addition.quota)
        let added = ImageMember(image: image.id, member: addition.membership.member, createdAt: now, updatedAt: now)
        let inserted = try connection.execute(
            """
            INSERT INTO image_members (image_id, member, status, created_at, updated_at, image_created_at)
            VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (image_id, member) DO NOTHING
            """,
            [
                .text(image.id.text), .text(added.member), .text(added.status.rawValue), .integer(now.microseconds),
                .integer(now.microseconds), .integer(image.createdAt.microseconds),
            ]
        )
        guard inserted == 1 else {
            throw RegistryError(
                .duplicate,
                "Member \(addition.membership.member) is duplicated for image \(image.id)",
                field: "member"
            )
        }
        return added
    }

    /// - Throws: `notFound` for the image and for the member, `changedMeanwhile`.
    public func update(_ change: UpdateMember, as caller: Caller, at now: Timestamp) throws -> ImageMember {
        let image = try decidedOn(change.membership, caller)
        var condition = Self.visible(of: image, to: caller)
        condition.add("member = ?", .text(change.membership.member))
        let updated = try connection.query(
            """
            UPDATE image_members SET status = ?, updated_at = ? WHERE \(condition.sql) RETURNING \(Self.columns)
            """,
            [.text(change.status.rawValue), .integer(now.microseconds)] + condition.values
        ) { try Self.member(of: image.id, from: $0) }
        guard let member = updated.first else { throw absence(of: change.membership.member, from: image) }
        return member
    }

    /// - Throws: `notFound` for the image and for the member, `forbidden`, `changedMeanwhile`.
    public func remove(_ removal: RemoveMember, as caller: Caller) throws {
        let image = try decidedOn(removal.membership, caller)
        try ImageTable(connection).requireMutable(image, by: caller)
        let deleted = try connection.execute(
            "DELETE FROM image_members WHERE image_id = ? AND member = ?",
            [.text(image.id.text), .text(removal.membership.member)]
        )
        guard deleted == 1 else { throw absence(of: removal.membership.member, from: image) }
    }

    /// The image on which the API decided, kept as it is until the transaction ends: members that are being added at the
    /// same time are counted one after another, whatever the database's isolation.
    private func decidedOn(_ membership: Membership, _ caller: Caller) throws -> Image {
        _ = try connection.first(
            "SELECT revision FROM images WHERE id = ?\(connection.dialect.forUpdate)",
            [.text(membership.image.text)]
        ) { $0.integer(0) }
        let image = try ImageTable(connection).image(membership.image, visibleTo: caller)
        guard image.revision == membership.revision else {
            throw RegistryError(.changedMeanwhile, "The image was changed by somebody else in the meantime")
        }
        guard image.visibility == .shared else {
            throw RegistryError(.forbidden, "Only shared images have members.")
        }
        return image
    }

    private func requireRoom(in image: Image, quota: Int64) throws {
        guard quota >= 0 else { return }
        let count = try connection.first(
            "SELECT count(*) FROM image_members WHERE image_id = ?",
            [.text(image.id.text)]
        ) { $0.integer(0) }
        let attempted = (count ?? 0) + 1
        guard attempted <= quota else {
            throw RegistryError(
                .limitExceeded,
                "Image member limit exceeded for image \(image.id): The limit has been exceeded on the number of allowed "
                    + "image members for this image. Attempted: \(attempted), Maximum: \(quota)"
            )
        }
    }

    private func absence(of member: String, from image: Image) -> RegistryError {
        RegistryError(.notFound, ImageMember.absence(of: member, from: image.id), field: "member")
    }
}
