internal import ImageModel
internal import WireJSON

/// A member as the public API shows it (Image API v2, "Members").
enum ImageMemberDocument {
    private static func write(_ member: ImageMember, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("member_id", member.member)
            writer.field("image_id", member.image.text)
            writer.field("status", member.status.rawValue)
            writer.field("created_at", member.createdAt.text)
            writer.field("updated_at", member.updatedAt.text)
            writer.field("schema", "/v2/schemas/member")
        }
    }

    static func bytes(_ member: ImageMember) -> [UInt8] {
        var writer = JSONWriter(reserving: 256)
        write(member, to: &writer)
        return writer.bytes
    }

    /// All members that a caller is shown; a list of members has no pages.
    static func bytes(list members: [ImageMember]) -> [UInt8] {
        var writer = JSONWriter(reserving: 64 + members.count * 256)
        writer.object { writer in
            writer.field("members", array: members) { write($1, to: &$0) }
            writer.field("schema", "/v2/schemas/members")
        }
        return writer.bytes
    }
}
