import Foundation
import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// How each database finds the images of every list. With `GLANCE_PLANS` naming a directory the plans are written there,
/// for `scripts/plans` to put them into `docs/database.md`.
@Suite("Plans of lists")
struct ListPlanTests {
    @Test("no list of images with an index for it reads all of them", arguments: DatabaseUnderTest.all)
    func plans(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await PlannedImages.seed(tables.database)
            var document: [String] = []
            for list in PlannedList.all {
                let (steps, found) = try await tables.database.read { try plan(list, $0) }
                #expect(found > 0, "\(list.title) finds nothing, so its plan says nothing")
                let readsAll = steps.contains { step in
                    step.contains("Seq Scan on images ") || (step.hasPrefix("SCAN i") && !step.contains("USING INDEX"))
                }
                #expect(!readsAll || list.isUnindexed, "\(list.title):\n\(steps.joined(separator: "\n"))")
                document += ["", "\(list.title): \(list.request)"] + steps.map { "    \($0)" }
            }
            guard let folder = ProcessInfo.processInfo.environment["GLANCE_PLANS"] else { return }
            let text = document.dropFirst().map { $0.isEmpty ? "" : "    \($0)" }.joined(separator: "\n") + "\n"
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(subject.testDescription)"))
        }
    }

    @Test(
        "what rows name is looked up by its id, also where PostgreSQL has no statistics",
        .enabled(if: PostgreSQLServer.shared != nil, "GLANCE_TEST_POSTGRESQL is not set")
    )
    func withoutStatistics() async throws {
        try await DatabaseUnderTest.postgresql.withTables { tables in
            try await PlannedImages.seed(tables.database, isAnalyzed: false)
            let lists = [
                PlannedList(title: "a common tag", caller: .of("project-7"), parameters: [("tag", "lts")]),
                PlannedList(title: "a tag that nothing has", caller: .of("project-7"), parameters: [("tag", "no")]),
                PlannedList(
                    title: "a tag of what is shared",
                    caller: .of("project-7"),
                    parameters: [("tag", "lts"), ("visibility", "shared"), ("member_status", "all")]
                ),
            ]
            for list in lists {
                // What is shared with the project counts as little then, and is looked through for the tag.
                let (steps, _) = try await tables.database.read { try plan(list, $0, rareCount: 40_000) }
                let text = steps.joined(separator: "\n")
                #expect(text.contains("then i by its id"), "\(list.title):\n\(text)")
                #expect(!text.contains(" images_by_") && !text.contains("Seq Scan"), "\(list.title):\n\(text)")
            }
        }
    }

    /// - Returns: the steps of the plan, and how many images there are.
    private func plan(
        _ list: PlannedList,
        _ connection: any SQLConnection,
        rareCount: Int = 400
    ) throws -> ([String], Int) {
        var query = try ImageListQuery(parameters: list.parameters)
        query.limit = 25
        if list.place == .behindMarker { query.marker = ImageID(PlannedImages.marker) }
        let recording = RecordingConnection(connection)
        let found = try ImageTable(recording, rareCount: rareCount).list(query, visibleTo: list.caller)
        let last = try #require(recording.statements.last)
        switch connection.dialect.name {
        case .sqlite:
            let plan = try recording.plan()
            var steps: [String] = []
            for (walk, isSorted) in zip(plan.walks, plan.sorts) {
                let found = walk.map {
                    $0.hasPrefix("SEARCH i USING INDEX sqlite_autoindex_") ? "then i by its id" : $0
                }
                steps.append(found.joined(separator: ", ") + (isSorted ? ", sorted" : ""))
            }
            return (steps, found.count)
        case .postgresql:
            let lines = try connection.query("EXPLAIN (COSTS OFF) \(last.sql)", last.values) { $0.text(0) }
            return (PostgreSQLPlan(lines).steps, found.count)
        }
    }
}

/// What PostgreSQL's `EXPLAIN` says of how rows are found and sorted, a line for each step. What belongs to an image, its
/// properties and so on, is read by the image's id in every list alike, and left out.
struct PostgreSQLPlan {
    private(set) var steps: [String] = []

    init(_ lines: [String]) {
        var hidden: Int?
        for line in lines {
            let indent = line.prefix { $0 == " " }.count
            if let limit = hidden, indent > limit { continue }
            let text = line.dropFirst(indent)
            hidden = text.hasPrefix("SubPlan ") || text.hasPrefix("InitPlan ") ? indent : nil
            if hidden == nil { add(text.hasPrefix("->  ") ? text.dropFirst(4) : text) }
        }
    }

    private mutating func add(_ text: Substring) {
        if text.contains("images_pkey on images i") {
            // The last of these reads whole records of the page.
            steps.append("then i by its id")
        } else if text.contains(" Scan ") && !text.hasPrefix("Subquery") && !text.hasPrefix("Bitmap Heap") {
            steps.append(String(text))
        } else if text.hasPrefix("Sort Key: ") {
            steps.append("Sort by \(Self.plain(text.dropFirst("Sort Key: ".count)))")
        } else if text.hasPrefix("Index Cond: "), let last = steps.last, !last.hasPrefix("then ") {
            steps[steps.count - 1] += " \(Self.plain(text.dropFirst("Index Cond: ".count)))"
        }
    }

    /// Without types and collations, and with a marker's values as `?`.
    private static func plain(_ text: Substring) -> String {
        var plain = String(text)
        let noises = [
            "::text", "::bigint", " COLLATE \"C\"", "ROW", "(visibility = ANY ('{public,community}'[])) AND ",
        ]
        for noise in noises { plain.replace(noise, with: "") }
        for value in ["'\(PlannedImages.marker)'", "'\(PlannedImages.markerTime)'"] { plain.replace(value, with: "?") }
        return plain
    }
}
