import ImageModel
import RegistryDatabase

/// A list that clients ask for, and whose plan `docs/database.md` shows.
struct PlannedList: Sendable {
    enum Place: Sendable {
        case first
        /// Behind an image in the middle.
        case behindMarker
    }

    var title: String
    var caller: Caller
    var parameters: [(name: String, value: String)] = []
    var place = Place.first
    /// Whether no index has the order, so that all that the caller sees is sorted.
    var isUnindexed: Bool { parameters.contains { $0.name == "sort" && $0.value.hasPrefix("size") } }

    private static let member = Caller.of("project-7")
    private static let lists: [(String, [(name: String, value: String)])] = [
        ("default order", []),
        ("by name", [("sort", "name:asc")]),
        ("of one name", [("name", "image-57")]),
        ("names with a prefix", [("os_glance_filter", "name:prefix:image-7")]),
        ("a common tag", [("tag", "lts")]),
        ("a rare tag", [("tag", "tag-7")]),
        ("a common property", [("os_distro", "debian")]),
        ("a rare property", [("os_version", "7")]),
        ("a rare property, by name", [("os_version", "7"), ("sort", "name:asc")]),
        ("a rare property with a prefix", [("os_glance_filter", "os_version:prefix:457")]),
        ("a common property with a prefix", [("os_glance_filter", "os_distro:prefix:deb")]),
        ("a property and a tag", [("os_distro", "ubuntu"), ("tag", "tag-7")]),
        ("a status", [("status", "active")]),
        ("visibility=public", [("visibility", "public")]),
        ("visibility=community", [("visibility", "community")]),
        ("visibility=shared", [("visibility", "shared")]),
        ("visibility=private", [("visibility", "private")]),
        ("visibility=all", [("visibility", "all")]),
        ("by size, which no index has", [("sort", "size:asc")]),
    ]

    static let all: [PlannedList] = [("Administrators", Caller.admin), ("Members", member)].flatMap { name, caller in
        var all = lists.map { PlannedList(title: "\(name), \($0.0)", caller: caller, parameters: $0.1) }
        let owner = caller.isAdmin ? "project-8" : "project-7"
        all.append(PlannedList(title: "\(name), of one owner", caller: caller, parameters: [("owner", owner)]))
        for list in ["default order", "by name", "a common tag", "a common property", "visibility=public"] {
            guard var behind = all.first(where: { $0.title == "\(name), \(list)" }) else { continue }
            behind.title += ", behind a marker"
            behind.place = .behindMarker
            all.append(behind)
        }
        return all
    }

    /// As a client writes it.
    var request: String {
        let marker = place == .behindMarker ? ["marker=…"] : []
        let parts = parameters.map { "\($0.name)=\($0.value)" } + marker
        return "GET /v2/images" + (parts.isEmpty ? "" : "?" + parts.joined(separator: "&"))
    }
}

/// A database of 20,000 images: PostgreSQL would rather read fewer as a whole.
enum PlannedImages {
    static let count = 20_000
    /// The one in the middle.
    static let marker = "00000000-0000-4000-8000-100000010000"
    /// One that has a member, and one of project 7.
    static let shared = "00000000-0000-4000-8000-100000010002"
    static let owned = "00000000-0000-4000-8000-100000010107"
    static let markerTime = 1_700_000_000_010_000

    /// - Parameter isAnalyzed: `false` for what PostgreSQL knows of tables that were just restored.
    static func seed(_ database: any Database, isAnalyzed: Bool = true) async throws {
        let numbers = """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count)),
            image(id, i) AS (SELECT '00000000-0000-4000-8000-' || CAST(100000000000 + i AS TEXT), i FROM n)
            """
        let tables = [
            """
            INSERT INTO images (id, name, status, visibility, protected, os_hidden, owner, disk_format, container_format,
                min_disk, min_ram, size, created_at, updated_at, revision)
            \(numbers)
            SELECT id, 'image-' || CAST(i % 1000 AS TEXT), CASE WHEN i % 20 = 0 THEN 'queued' ELSE 'active' END,
                CASE i % 10 WHEN 0 THEN 'public' WHEN 1 THEN 'community' WHEN 2 THEN 'shared' WHEN 3 THEN 'shared'
                    ELSE 'private' END,
                0, 0, 'project-' || CAST(i % 50 AS TEXT), 'qcow2', 'bare', 0, 0, 1000, 1700000000000000 + i,
                1700000000000000 + i, 1 FROM image
            """,
            """
            INSERT INTO image_properties (image_id, name, value)
            \(numbers)
            SELECT id, 'os_distro', CASE i % 2 WHEN 0 THEN 'debian' ELSE 'ubuntu' END FROM image
            """,
            """
            INSERT INTO image_properties (image_id, name, value)
            \(numbers)
            SELECT id, 'os_version', CAST(i % 500 AS TEXT) FROM image
            """,
            """
            INSERT INTO image_tags (image_id, value, position)
            \(numbers)
            SELECT id, CASE i % 2 WHEN 0 THEN 'lts' ELSE 'tag-' || CAST(i % 400 AS TEXT) END, 0 FROM image
            """,
            """
            INSERT INTO image_members (image_id, member, status, created_at, updated_at)
            \(numbers)
            SELECT id, 'project-' || CAST(i % 48 AS TEXT), 'accepted', 0, 0 FROM image WHERE i % 10 IN (2, 3)
            """,
        ]
        let isPostgreSQL = database.dialect.name == .postgresql
        if isPostgreSQL, !isAnalyzed {
            for table in ["images", "image_properties", "image_tags", "image_members"] {
                try await database.write { try $0.script("ALTER TABLE \(table) SET (autovacuum_enabled = false)") }
            }
        }
        for table in tables { try await database.write { _ = try $0.execute(table, []) } }
        // As autovacuum does it; SQLite's plans do not depend on data.
        guard isPostgreSQL, isAnalyzed else { return }
        try await database.write { try $0.script("ANALYZE images, image_properties, image_tags, image_members") }
    }
}
