import ImageModel
import RegistryContract
import RegistryDatabase
import Testing
import WireJSON

@Suite("Task table")
struct TaskTableTests {
    private let id = ImageID.numbered(1)

    private func insert(
        _ tables: RegistryTables,
        _ task: String,
        owner: String?,
        image: ImageID = .numbered(1),
        created: Int64 = 0,
        expires: Int64? = nil
    ) async throws {
        try await tables.execute(
            """
            INSERT INTO tasks (id, type, status, owner, image_id, request_id, user_id, expires_at, created_at, updated_at,
                input, result, message)
            VALUES (?, 'api_image_import', 'success', ?, ?, 'req-1', 'u1', ?, ?, ?, '{"import_req":{}}', NULL, 'm')
            """,
            [
                .text(task), SQLValue(owner), .text(image.text),
                SQLValue(expires.map { (Timestamp.start + $0).microseconds }),
                .integer((Timestamp.start + created).microseconds),
                .integer((Timestamp.start + created + 1).microseconds),
            ]
        )
    }

    private func list(_ tables: RegistryTables, as caller: Caller) async throws -> [String] {
        try await tables.database.read { try TaskTable($0).list(of: id, visibleTo: caller, at: .start).tasks.map(\.id) }
    }

    @Test("a project sees its own tasks and nobody's, an administrator all", arguments: DatabaseUnderTest.all)
    func visibility(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: id, visibility: .public, owner: "p1"))
            try await tables.create(Image(id: .numbered(2)))
            try await insert(tables, "own", owner: "p1", created: 1)
            try await insert(tables, "other's", owner: "p2", created: 2)
            try await insert(tables, "nobody's", owner: nil, created: 3)
            try await insert(tables, "of another image", owner: "p1", image: .numbered(2))
            try await insert(tables, "expired", owner: "p1", expires: 0)
            try await insert(tables, "expiring", owner: "p1", created: 4, expires: 1)
            #expect(try await list(tables, as: .admin) == ["expiring", "nobody's", "other's", "own"])
            #expect(try await list(tables, as: .of("p1")) == ["expiring", "nobody's", "own"])
            #expect(try await list(tables, as: .of("p3")) == ["nobody's"])
            #expect(try await list(tables, as: .of(nil)) == ["nobody's"])
        }
    }

    @Test("tasks of an image that the caller may not see are not found", arguments: DatabaseUnderTest.all)
    func hidden(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: id, visibility: .private, owner: "p1"))
            try await insert(tables, "own", owner: "p2")
            #expect(await refusal { try await list(tables, as: .of("p2")) } == .notFound)
            try await tables.delete(id)
            #expect(await refusal { try await list(tables, as: .admin) } == .notFound)
        }
    }

    @Test("a task is read whole", arguments: DatabaseUnderTest.all)
    func whole(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: id))
            try await insert(tables, "t1", owner: "p1", created: 5, expires: 9)
            let tasks = try await tables.database.read {
                try TaskTable($0).list(of: id, visibleTo: .admin, at: .start).tasks
            }
            #expect(
                tasks == [
                    ImageTask(
                        id: "t1",
                        kind: .imageImport,
                        status: .success,
                        owner: "p1",
                        image: id,
                        requestID: "req-1",
                        user: "u1",
                        expiresAt: .start + 9,
                        createdAt: .start + 5,
                        updatedAt: .start + 6,
                        input: ["import_req": [:]],
                        result: .null,
                        message: "m"
                    )
                ]
            )
        }
    }
}
