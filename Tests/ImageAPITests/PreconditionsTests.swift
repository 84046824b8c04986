import HTTPTypes
import Hummingbird
import ImageModel
import Testing

@testable import ImageAPI

/// What conditional requests say, and when they hold (RFC 9110 §8.8.3, §13.1).
@Suite("Preconditions")
struct PreconditionsTests {
    private static let tag = EntityTag(text: "7-ab")

    @Test(
        "a list of tags is read",
        arguments: [
            ("*", .any), (" * ", .any),
            ("\"a\"", .tags([EntityTag(text: "a")])),
            ("W/\"a\"", .tags([EntityTag(text: "a", isWeak: true)])),
            ("\"a\", W/\"b\",\"c,d\"", .tags([.init(text: "a"), .init(text: "b", isWeak: true), .init(text: "c,d")])),
            (",\t\"\" ,, \"W/\",", .tags([.init(text: ""), .init(text: "W/")])),
        ] as [(String, EntityTagList)]
    )
    func lists(value: String, list: EntityTagList) throws {
        #expect(try EntityTagList(parsing: value, header: "If-Match") == list)
    }

    @Test(
        "anything else is malformed",
        arguments: [
            "", " ", ",", "a", "\"a", "a\"", "\"a\" \"b\"", "\"a\"b", "w/\"a\"", "W/ \"a\"", "W/*", "*, \"a\"",
            "\"a\", *", "\"a b\"", "'a'", "**",
        ]
    )
    func malformed(value: String) {
        let error = #expect(throws: ServiceError.self) { try EntityTagList(parsing: value, header: "If-Match") }
        #expect(error?.code == .invalidRequest)
        #expect(error?.message.contains("If-Match") == true)
    }

    @Test(
        "a change goes through when If-Match has the tag, strongly, and If-None-Match has it not, even weakly",
        arguments: [
            (nil, nil, true), ("*", nil, true), ("\"7-ab\"", nil, true), ("\"x\", \"7-ab\"", nil, true),
            ("\"x\"", nil, false), ("W/\"7-ab\"", nil, false),
            (nil, "*", false), (nil, "\"7-ab\"", false), (nil, "W/\"7-ab\"", false), (nil, "\"x\"", true),
            ("\"7-ab\"", "\"x\"", true), ("\"7-ab\"", "\"7-ab\"", false), ("\"x\"", "\"x\"", false),
        ] as [(String?, String?, Bool)]
    )
    func changes(match: String?, noneMatch: String?, holds: Bool) throws {
        var headers = HTTPFields()
        headers[.ifMatch] = match
        headers[.ifNoneMatch] = noneMatch
        let preconditions = try Preconditions(headers)
        do throws(ServiceError) {
            try preconditions.require { Self.tag }
            #expect(holds)
        } catch {
            #expect(!holds && error.code == .preconditionFailed)
        }
    }

    @Test(
        "a document that the client has is not sent again",
        arguments: [
            (nil, nil, 200), (nil, "\"7-ab\"", 304), (nil, "W/\"7-ab\"", 304), (nil, "\"x\", \"7-ab\"", 304),
            (nil, "*", 304), (nil, "\"x\"", 200), ("\"7-ab\"", "\"7-ab\"", 304), ("\"7-ab\"", nil, 200),
            ("\"x\"", "\"7-ab\"", 412),
        ] as [(String?, String?, Int)]
    )
    func reads(match: String?, noneMatch: String?, status: Int) throws {
        var headers = HTTPFields()
        headers[.ifMatch] = match
        headers[.ifNoneMatch] = noneMatch
        let preconditions = try Preconditions(headers)
        do throws(ServiceError) {
            let response = try preconditions.answer([1, 2], Self.tag)
            #expect(response.status.code == status)
            #expect(response.headers[.eTag] == "\"7-ab\"")
            #expect(response.body.contentLength == (status == 200 ? 2 : 0))
        } catch {
            #expect(error.code.status.code == status)
        }
    }

    @Test("a tag names the bytes and the revision, and can stand in a header")
    func tags() {
        #expect(EntityTag(of: [1]) == EntityTag(of: [1]))
        #expect(EntityTag(of: [1]) != EntityTag(of: [2]))
        #expect(EntityTag(of: [1], revision: 1) != EntityTag(of: [1], revision: 2))
        #expect(EntityTag(of: [1], revision: 1) != EntityTag(of: [2], revision: 1))
        #expect(EntityTag(of: [1], revision: 5).field.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
        #expect(EntityTag(text: "a", isWeak: true).field == "W/\"a\"")
    }
}
