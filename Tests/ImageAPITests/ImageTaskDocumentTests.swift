import ImageModel
import Testing
import WireJSON

@testable import ImageAPI

@Suite("Documents of an image's tasks")
struct ImageTaskDocumentTests {
    @Test("a task is shown as the reference's database has it")
    func document() throws {
        let id = try #require(ImageID("6f9619ff-8b86-d011-b42d-00cf4fc964ff"))
        let task = ImageTask(
            id: "t1",
            kind: .imageImport,
            status: .processing,
            owner: "p1",
            image: id,
            requestID: "req-1",
            user: nil,
            expiresAt: Timestamp(microseconds: 1_700_000_000_000_007),
            createdAt: Timestamp(microseconds: 1_700_000_000_123_456),
            updatedAt: Timestamp(microseconds: 1_700_000_001_000_000),
            input: ["import_req": ["method": ["name": "glance-direct"]]],
            result: .null,
            message: ""
        )
        let expected = """
            {"tasks": [{"id": "t1", "type": "api_image_import", "status": "processing", "owner": "p1", \
            "expires_at": "2023-11-14T22:13:20.000007", "created_at": "2023-11-14T22:13:20.123456", \
            "updated_at": "2023-11-14T22:13:21.000000", "deleted_at": null, "deleted": false, \
            "image_id": "6f9619ff-8b86-d011-b42d-00cf4fc964ff", "request_id": "req-1", "user_id": null, \
            "input": {"import_req": {"method": {"name": "glance-direct"}}}, "result": null, "message": ""}]}
            """
        #expect(try JSONValue(parsing: ImageTaskDocument.bytes(list: [task])) == JSONValue(parsing: expected.utf8))
        #expect(try JSONValue(parsing: ImageTaskDocument.bytes(list: [])) == ["tasks": []])
    }
}
