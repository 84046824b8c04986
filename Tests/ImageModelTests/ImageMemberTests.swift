import ImageModel
import Testing
import WireJSON

@Suite("Bodies about members")
struct ImageMemberTests {
    @Test(
        "a member is a text or a number that is kept as text",
        arguments: [
            (["member": "p2", "more": 1], "p2"), (["member": " "], " "), (["member": 5], "5"), (["member": -1], "-1"),
            (["member": .double(1.5)], "1.5"), (["member": "é😀"], "é😀"),
        ] as [(JSONValue, String)]
    )
    func project(_ body: JSONValue, _ project: String) throws {
        #expect(try ImageMember.project(parsing: body) == project)
    }

    @Test(
        "what names no member is refused, and says why",
        arguments: [
            ([:], "Member to be added not specified"), (["Member": "p"], "Member to be added not specified"),
            ([], "Expected a member in the form"), (["member"], "Expected a member in the form"),
            (["member": ["p"]], "Expected a member in the form"),
            (["member": ["id": "p"]], "Expected a member in the form"),
            (["member": true], "Expected a member in the form"), (["member": ""], "Member can't be empty"),
            (["member": nil], "Member can't be empty"), (["member": 0], "Member can't be empty"),
            (["member": .double(0)], "Member can't be empty"), (["member": false], "Member can't be empty"),
            (["member": []], "Member can't be empty"), (["member": [:]], "Member can't be empty"),
        ] as [(JSONValue, String)]
    )
    func noProject(_ body: JSONValue, _ phrase: String) {
        expectRefusal(.invalidRequest, phrase) { _ = try ImageMember.project(parsing: body) }
    }

    @Test("a member has at most 255 characters")
    func longProject() throws {
        let longest = String(repeating: "é", count: 255)
        #expect(try ImageMember.project(parsing: ["member": .string(longest)]) == longest)
        expectRefusal(.invalidRequest, "255 characters") {
            _ = try ImageMember.project(parsing: ["member": .string(longest + "x")])
        }
    }

    @Test(
        "an answer is one of three words; any other is nobody's status",
        arguments: [
            ("pending", .pending), ("accepted", .accepted), ("rejected", .rejected), ("Accepted", nil), ("", nil),
            (nil, nil), (1, nil), (["accepted"], nil),
        ] as [(JSONValue, MemberStatus?)]
    )
    func status(_ word: JSONValue, _ status: MemberStatus?) throws {
        #expect(try MemberStatus.requested(by: ["status": word]) == status)
    }

    @Test("a body without a status is refused, and says why")
    func noStatus() {
        expectRefusal(.invalidRequest, "Status not specified") { _ = try MemberStatus.requested(by: [:]) }
        expectRefusal(.invalidRequest, "Expected a status in the form") { _ = try MemberStatus.requested(by: []) }
        #expect(MemberStatus.unknown.message == #"Status must be "pending", "accepted" or "rejected"."#)
    }
}
