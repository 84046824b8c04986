import Foundation
import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// How each database finds what is listed besides images: members, tasks, the catalogue of metadata definitions, and the
/// queue of deletions. With `GLANCE_PLANS` naming a directory the plans are written there, for `scripts/plans`.
@Suite("Plans of other lists")
struct OtherListPlanTests {
    @Test("no list reads the rows of others where an index tells them apart", arguments: DatabaseUnderTest.all)
    func plans(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await PlannedImages.seed(tables.database)
            try await PlannedRows.seed(tables.database)
            var document: [String] = []
            for list in OtherList.all {
                let (steps, found) = try await tables.database.write { connection in
                    let recording = RecordingConnection(connection)
                    let found = try list.read(recording)
                    let statement = try #require(recording.statements.last { $0.sql.hasPrefix("SELECT") })
                    return (try plan(statement, connection), found)
                }
                #expect(found > 0, "\(list.title) finds nothing, so its plan says nothing")
                // There are never many resource types.
                let readsAll = steps.contains { step in
                    let isScan = step.hasPrefix("Seq Scan") || step.hasPrefix("SCAN") && !step.contains("USING INDEX")
                    return isScan && !step.contains("metadef_resource_types")
                }
                #expect(!readsAll || list.isUnindexed, "\(list.title):\n\(steps.joined(separator: "\n"))")
                document += ["", "\(list.title): \(list.request)"] + steps.map { "    \($0)" }
            }
            guard let folder = ProcessInfo.processInfo.environment["GLANCE_PLANS"] else { return }
            let text = document.dropFirst().map { $0.isEmpty ? "" : "    \($0)" }.joined(separator: "\n") + "\n"
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(subject.testDescription), other lists"))
        }
    }

    /// The steps by which rows are found and sorted.
    private func plan(_ statement: RecordingConnection.Statement, _ connection: any SQLConnection) throws -> [String] {
        switch connection.dialect.name {
        case .sqlite:
            Self.walk(try connection.query("EXPLAIN QUERY PLAN \(statement.sql)", statement.values) { $0.text(3) })
        case .postgresql:
            PostgreSQLPlan(
                try connection.query("EXPLAIN (COSTS OFF) \(statement.sql)", statement.values) { $0.text(0) }
            ).steps
        }
    }

    /// The steps that find rows, without those that gather what belongs to one of them.
    private static func walk(_ steps: [String]) -> [String] {
        let isSorted = steps.last?.hasPrefix("USE TEMP B-TREE") ?? false
        let found = steps.prefix { $0 != "CO-ROUTINE x" }.filter { $0.hasPrefix("SEARCH ") || $0.hasPrefix("SCAN ") }
        return isSorted ? found + ["Sort"] : found
    }
}

private struct OtherList: Sendable {
    var title: String
    /// As a client writes it, or who asks.
    var request: String
    /// Whether no index has the order, so that all of them are sorted.
    var isUnindexed = false
    /// - Returns: how many there are.
    var read: @Sendable (any SQLConnection) throws -> Int

    private static let member = Caller.of("project-7")
    private static let now = Timestamp(microseconds: 2_000_000_000_000_000)

    static let all = [
        OtherList(title: "Members of an image, for its owner", request: "GET /v2/images/{image_id}/members") {
            try MemberTable($0).list(of: image(PlannedImages.shared), visibleTo: .admin).members.count
        },
        OtherList(title: "Tasks of an image, for administrators", request: "GET /v2/images/{image_id}/tasks") {
            try TaskTable($0).list(of: image(PlannedImages.shared), visibleTo: .admin, at: now).tasks.count
        },
        OtherList(title: "Tasks of an image, for members", request: "GET /v2/images/{image_id}/tasks") {
            try TaskTable($0).list(of: image(PlannedImages.owned), visibleTo: member, at: now).tasks.count
        },
        OtherList(title: "Namespaces, default order", request: "GET /v2/metadefs/namespaces") {
            try MetadefTable($0).list(MetadefNamespaceQuery(limit: 25), visibleTo: .admin).count
        },
        OtherList(title: "Namespaces, default order, for members", request: "GET /v2/metadefs/namespaces") {
            try MetadefTable($0).list(MetadefNamespaceQuery(limit: 25), visibleTo: member).count
        },
        OtherList(title: "Namespaces, behind a marker", request: "GET /v2/metadefs/namespaces?marker=…") {
            var query = MetadefNamespaceQuery(limit: 25)
            query.marker = "namespace-1000"
            return try MetadefTable($0).list(query, visibleTo: .admin).count
        },
        OtherList(
            title: "Namespaces, by name, sorted as a whole",
            request: "GET /v2/metadefs/namespaces?sort_key=namespace",
            isUnindexed: true
        ) {
            var query = MetadefNamespaceQuery(limit: 25)
            query.sortKey = .namespace
            return try MetadefTable($0).list(query, visibleTo: .admin).count
        },
        OtherList(title: "Namespaces of a resource type", request: "GET /v2/metadefs/namespaces?resource_types=type-7")
        {
            var query = MetadefNamespaceQuery(limit: 25)
            query.resourceTypes = ["type-7"]
            return try MetadefTable($0).list(query, visibleTo: .admin).count
        },
        OtherList(title: "Resource types, all there are", request: "GET /v2/metadefs/resource_types") {
            try ResourceTypeTable($0).list().count
        },
        part("Resource types of a namespace", "resource_types", .associations),
        part("Properties of a namespace", "properties", .properties),
        part("Objects of a namespace", "objects", .objects),
        part("Tags of a namespace", "tags", .tags(MetadefTagQuery())),
        OtherList(title: "Deletions of a store that are due", request: "an API, every few seconds") {
            try LocationTable($0).claimDeletions(
                DeletionClaim(holder: Holder(node: "n", process: "p"), stores: ["fast"], limit: 10),
                until: now,
                at: now
            ).count
        },
    ]

    private static func image(_ text: String) throws -> ImageID { try #require(ImageID(text)) }

    private static func part(_ title: String, _ path: String, _ part: MetadefPart) -> OtherList {
        OtherList(title: title, request: "GET /v2/metadefs/namespaces/{namespace}/\(path)") {
            let content = try MetadefTable($0).show("namespace-1000", part, visibleTo: .admin).content
            return content.associations.count + content.properties.count + content.objects.count + content.tags.count
        }
    }
}

/// What hangs on images beside what ``PlannedImages`` has, and a catalogue of 2,000 namespaces.
private enum PlannedRows {
    static func seed(_ database: any Database) async throws {
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
        let parts =
            "\(numbers), parts(namespace, name) AS (SELECT m.id, 'part-' || CAST(n.i AS TEXT)"
            + " FROM metadef_namespaces m, n WHERE n.i <= 5)"
        let tables = [
            """
            INSERT INTO tasks (id, type, status, owner, image_id, created_at, updated_at, message)
            SELECT 'task-' || id, 'api_image_import', 'success', owner, id, 1, 1, '' FROM images
            """,
            """
            INSERT INTO image_locations (image_id, url, metadata, store, state, attempt, unfinished, created_at)
            SELECT id, 'file:///data/' || id, '{}', 'fast',
                CASE WHEN status = 'queued' THEN 'deleting' ELSE 'live' END, 'attempt-' || id, 0, 1 FROM images
            """,
            """
            INSERT INTO metadef_namespaces (namespace, visibility, protected, owner, created_at, updated_at, revision)
            \(numbers) SELECT 'namespace-' || CAST(i AS TEXT), CASE i % 2 WHEN 0 THEN 'public' ELSE 'private' END, 0,
                'project-' || CAST(i % 50 AS TEXT), i, i, 1 FROM n
            """,
            """
            INSERT INTO metadef_properties (namespace_id, name, definition, created_at, updated_at)
            \(parts) SELECT namespace, name, '{"type": "string", "title": "t"}', 1, 1 FROM parts
            """,
            """
            INSERT INTO metadef_objects (namespace_id, name, required, properties, created_at, updated_at)
            \(parts) SELECT namespace, name, '[]', '[]', 1, 1 FROM parts
            """,
            """
            INSERT INTO metadef_tags (namespace_id, name, created_at, updated_at)
            \(parts) SELECT namespace, name, 1, 1 FROM parts
            """,
            """
            INSERT INTO metadef_resource_types (name, protected, created_at, updated_at)
            \(numbers) SELECT 'type-' || CAST(i AS TEXT), 0, 1, 1 FROM n WHERE i <= 100
            """,
            """
            INSERT INTO metadef_associations (namespace_id, resource_type_id, created_at, updated_at)
            SELECT n.id, t.id, 1, 1 FROM metadef_namespaces n JOIN metadef_resource_types t ON t.id = n.id % 100 + 1
            """,
        ]
        for table in tables { try await database.write { _ = try $0.execute(table, []) } }
        guard database.dialect.name == .postgresql else { return }
        // Not all that there is: other tests' tables go away meanwhile.
        let own = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        let names = try await database.read { try $0.query(own, []) { $0.text(0) } }
        try await database.write { try $0.script("ANALYZE \(names.joined(separator: ", "))") }
    }
}
