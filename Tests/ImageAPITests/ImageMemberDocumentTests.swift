import ImageModel
import Testing

@testable import ImageAPI

@Suite("Documents of members")
struct ImageMemberDocumentTests {
    @Test("a member and a list of members are this JSON")
    func documents() throws {
        let image = try #require(ImageID("5c1f6a0e-7d61-4c2f-9a35-0d2b6a7f9e11"))
        let member = ImageMember(
            image: image,
            member: "proj\"b",
            status: .accepted,
            createdAt: Timestamp(microseconds: 1_700_000_000_999_999),
            updatedAt: Timestamp(seconds: 1_700_000_060)
        )
        let document =
            #"{"member_id":"proj\"b","image_id":"5c1f6a0e-7d61-4c2f-9a35-0d2b6a7f9e11","status":"accepted","#
            + #""created_at":"2023-11-14T22:13:20Z","updated_at":"2023-11-14T22:14:20Z","schema":"/v2/schemas/member"}"#
        #expect(String(decoding: ImageMemberDocument.bytes(member), as: UTF8.self) == document)
        for (members, expected) in [([], ""), ([member, member], "\(document),\(document)")] {
            let list = String(decoding: ImageMemberDocument.bytes(list: members), as: UTF8.self)
            #expect(list == #"{"members":["# + expected + #"],"schema":"/v2/schemas/members"}"#)
        }
    }
}
