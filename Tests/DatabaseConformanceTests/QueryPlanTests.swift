import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// That SQLite finds what it looks for by the indexes that are there for it. The plans do not depend on data: nothing
/// gathers statistics.
@Suite("SQLite query plans")
struct QueryPlanTests {
    /// The plan of the last statement that `body` makes, a line per step, as SQLite words it.
    private func plan(_ body: @escaping @Sendable (ImageTable) throws -> Void) async throws -> String {
        var plan = ""
        try await DatabaseUnderTest.sqlite.withTables { tables in
            try await tables.create(Image(id: .numbered(1), visibility: .public))
            plan = try await tables.database.read { connection in
                let recording = RecordingConnection(connection)
                try body(ImageTable(recording))
                guard let last = recording.statements.last else { return "no statement" }
                return try connection.query("EXPLAIN QUERY PLAN \(last.sql)", last.values) { $0.text(3) }
                    .joined(separator: "\n")
            }
        }
        return plan
    }

    private func plan(
        _ caller: Caller,
        marker: ImageID? = nil,
        sort: [ImageSort] = ImageListQuery.defaultSort,
        filters: [ImageFilter] = [],
        visibility: VisibilityFilter = .unspecified
    ) async throws -> String {
        let query = ImageListQuery(limit: 25, marker: marker, sort: sort, filters: filters, visibility: visibility)
        return try await plan { _ = try $0.list(query, visibleTo: caller) }
    }

    /// What belongs to an image, its tags aside, is read by the image's id and never sorted.
    private func expectAggregates(in plan: String, sourceLocation: SourceLocation = #_sourceLocation) {
        for step in [
            "SEARCH p USING PRIMARY KEY (image_id=?)", "SEARCH image_tags USING PRIMARY KEY (image_id=?)",
            "SEARCH image_locations USING INDEX image_locations_by_image (image_id=? AND state=?)",
        ] {
            #expect(plan.contains(step), "\(step) is not in\n\(plan)", sourceLocation: sourceLocation)
        }
    }

    /// The images are met in the order of the list, by `step`: the first page's are read and no others.
    private func expectOrder(_ step: String, in plan: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(plan.hasPrefix(step), "\(step) does not begin\n\(plan)", sourceLocation: sourceLocation)
        let isSorted = plan.hasSuffix("USE TEMP B-TREE FOR ORDER BY") || plan.contains("LAST TERM OF ORDER BY")
        #expect(!isSorted, "images are sorted in\n\(plan)", sourceLocation: sourceLocation)
        expectAggregates(in: plan, sourceLocation: sourceLocation)
    }

    private static let callers = [Caller.admin, Caller(isAdmin: true), .of("tenant1"), .of(nil)]
    private static let membership = "SEARCH m USING PRIMARY KEY (image_id=? AND member=?)"

    @Test("an image is shown by its id alone", arguments: callers)
    func show(_ caller: Caller) async throws {
        let plan = try await plan { _ = try $0.image(.numbered(1), visibleTo: caller) }
        #expect(plan.hasPrefix("SEARCH i USING INDEX sqlite_autoindex_images_1 (id=?)"), "\(plan)")
        #expect(plan.contains(Self.membership) == (!caller.isAdmin && caller.project != nil), "\(plan)")
        #expect(!plan.contains("SCAN i"), "\(plan)")
        expectAggregates(in: plan)
    }

    @Test("the default list walks the images from the newest on", arguments: callers)
    func defaultList(_ caller: Caller) async throws {
        let plan = try await plan(caller)
        expectOrder("SCAN i USING INDEX images_by_creation", in: plan)
        #expect(plan.contains(Self.membership) == (!caller.isAdmin && caller.project != nil), "\(plan)")
        let oldest = [ImageSort(.createdAt, .ascending), ImageSort(.id, .ascending)]
        expectOrder("SCAN i USING INDEX images_by_creation", in: try await self.plan(caller, sort: oldest))
    }

    @Test("a page begins at its marker, not at the first image", arguments: callers)
    func marker(_ caller: Caller) async throws {
        let orders: [(ImageSort.Direction, ImageSort.Direction)] = [
            (.descending, .descending), (.ascending, .ascending),
        ]
        for (first, second) in orders {
            let sort = [ImageSort(.createdAt, first), ImageSort(.id, second)]
            let plan = try await plan(caller, marker: .numbered(1), sort: sort)
            let comparison = first == .ascending ? ">" : "<"
            expectOrder("SEARCH i USING INDEX images_by_creation (created_at\(comparison)?)", in: plan)
        }
    }

    @Test("lists of one owner, visibility or name walk that alone, in order", arguments: callers)
    func filtered(_ caller: Caller) async throws {
        let owned = try await plan(caller, filters: [.text(.owner, anyOf: ["tenant1"])])
        expectOrder("SEARCH i USING INDEX images_by_owner (owner=?)", in: owned)
        let visible = try await plan(caller, visibility: .only(.private))
        expectOrder("SEARCH i USING INDEX images_by_visibility (visibility=?)", in: visible)
        let named = try await plan(caller, filters: [.text(.name, anyOf: ["cirros"])])
        expectOrder("SEARCH i USING INDEX images_by_name (name=?)", in: named)
        let identified = try await plan(caller, filters: [.text(.id, anyOf: [ImageID.numbered(1).text])])
        expectOrder("SEARCH i USING INDEX sqlite_autoindex_images_1 (id=?)", in: identified)
    }

    @Test("a list by tag asks each image it walks by the tags' key", arguments: callers)
    func tag(_ caller: Caller) async throws {
        let plan = try await plan(caller, filters: [.tag("x")])
        expectOrder("SCAN i USING INDEX images_by_creation", in: plan)
        #expect(plan.contains("SEARCH t USING PRIMARY KEY (image_id=? AND value=?)"), "\(plan)")
        withKnownIssue("images with a rare tag are found by walking all images") {
            #expect(plan.contains("image_tags_by_value"), "\(plan)")
        }
    }

    @Test("a list by property asks each image it walks by the properties' key", arguments: callers)
    func property(_ caller: Caller) async throws {
        let plan = try await plan(caller, filters: [.property(name: "os", value: "linux")])
        expectOrder("SCAN i USING INDEX images_by_creation", in: plan)
        #expect(plan.contains("SEARCH p USING PRIMARY KEY (image_id=? AND name=?)"), "\(plan)")
        withKnownIssue("images with a rare property are found by walking all images") {
            #expect(plan.contains("image_properties_by_value"), "\(plan)")
        }
    }

    /// Planned by searching the parameter's grammar, as a client would.
    private func searchPlan(
        _ caller: Caller,
        _ conditions: [String],
        sort: [ImageSort] = ImageListQuery.defaultSort
    ) async throws -> String {
        let query = try ImageListQuery(parameters: conditions.map { (name: "os_glance_filter", value: $0) })
        return try await plan(caller, sort: sort, filters: query.filters)
    }

    @Test("names with a prefix are a range of the names' index", arguments: callers)
    func namePrefix(_ caller: Caller) async throws {
        let range = "SEARCH i USING INDEX images_by_name (name>? AND name<?)"
        let plan = try await searchPlan(caller, ["name:prefix:deb"])
        #expect(plan.contains(range), "\(plan)")
        #expect(!plan.contains("SCAN i"), "\(plan)")
        expectAggregates(in: plan)
        let combined = try await searchPlan(caller, ["name:prefix:deb", "os_version:gte:22.04", "tag:exists"])
        #expect(combined.contains(range), "\(combined)")
    }
}
