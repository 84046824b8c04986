import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// How many statements an operation costs: a number that neither images nor what belongs to them may raise.
@Suite("Statement counts")
struct StatementCountTests {
    /// - Returns: how many statements `body` made.
    private func count(
        _ tables: RegistryTables,
        _ body: @escaping @Sendable (any SQLConnection) throws -> Void
    ) async throws -> Int {
        try await tables.database.write { connection in
            let recording = RecordingConnection(connection)
            try body(recording)
            return recording.statements.count
        }
    }

    private func makeMany(_ tables: RegistryTables) async throws {
        try await tables.database.write { connection in
            let images = ImageTable(connection)
            for number in 0..<1_000 {
                let image = Image(
                    id: .numbered(number),
                    visibility: .public,
                    owner: "tenant\(number % 3)",
                    tags: (0..<number % 5).map { "tag \($0)" },
                    properties: ["number": "\(number)", "os": "linux"]
                )
                _ = try images.create(image, at: .start + Int64(number))
            }
        }
    }

    @Test("a list of a thousand takes as many statements as one of 25", arguments: DatabaseUnderTest.all)
    func list(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeMany(tables)
            let filters: [[ImageFilter]] = [
                [], [.tag("tag 0"), .property(name: "os", value: "linux"), .text(.name, anyOf: ["a", "b", "c"])],
            ]
            for caller in [Caller.admin, .of("tenant1"), .of(nil)] {
                for (marker, expected) in [(nil, 1), (ImageID.numbered(999), 2)] {
                    for filters in filters {
                        for limit in [1, 25, 1_000] {
                            let query = ImageListQuery(limit: limit, marker: marker, filters: filters)
                            let statements = try await count(tables) { connection in
                                let listed = try ImageTable(connection).list(query, visibleTo: caller)
                                if filters.isEmpty { #expect(listed.count == min(limit, marker == nil ? 1_000 : 999)) }
                            }
                            // One more counts what the filters ask for, up to a bound.
                            let counting = filters.isEmpty ? 0 : 1
                            #expect(
                                statements == expected + counting,
                                "\(limit) images behind \(marker?.text ?? "nothing")"
                            )
                        }
                    }
                }
            }
        }
    }

    @Test("showing an image takes one statement", arguments: DatabaseUnderTest.all)
    func show(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.createActive(
                Image(id: .numbered(1), visibility: .public, tags: ["a", "b"], properties: ["p": "v"])
            )
            for caller in [Caller.admin, .of("tenant1"), .of(nil)] {
                let statements = try await count(tables) { connection in
                    _ = try ImageTable(connection).image(.numbered(1), visibleTo: caller)
                }
                #expect(statements == 1)
            }
        }
    }

    @Test("a change costs by what it changes, not by what the image has", arguments: DatabaseUnderTest.all)
    func update(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var counts: [Int] = []
            for size in [0, 100] {
                var image = Image(
                    id: .numbered(size),
                    tags: (0..<size).map { "tag \($0)" },
                    properties: Dictionary(uniqueKeysWithValues: (0..<size).map { ("p\($0)", "\($0)") })
                )
                image = try await tables.create(image)
                image.name = "new"
                image.properties["added"] = "yes"
                let changed = image
                counts.append(
                    try await count(tables) { connection in
                        _ = try ImageTable(connection).update(changed, as: .admin, at: .start)
                    }
                )
            }
            #expect(counts[0] == counts[1])
        }
    }
    @Test("limits cost a look at the counters each, and nothing where there are none", arguments: DatabaseUnderTest.all)
    func limits(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let limits = UsageLimits(storageQuota: 9, imageCount: 9, storedMebibytes: 9, uploadingCount: 9)
            var costs: [UsageLimits: [Int]] = [:]
            for (number, limits) in [UsageLimits.none, limits].enumerated() {
                let id = ImageID.numbered(number)
                let created = try await count(tables) { connection in
                    _ = try ImageTable(connection).create(Image(id: id, owner: "p"), within: limits, at: .start)
                }
                let begun = try await count(tables) { connection in
                    let upload = BeginUpload(
                        image: id,
                        attempt: "a\(number)",
                        holder: .one,
                        store: nil,
                        url: "file:///data/\(id)",
                        size: 1,
                        limits: limits
                    )
                    _ = try UploadTable(connection)
                        .begin(upload, as: .admin, lease: .seconds(60), claimedUntil: .start + 60, at: .start)
                }
                costs[limits] = [created, begun]
            }
            let (free, bounded) = (try #require(costs[.none]), try #require(costs[limits]))
            #expect(bounded == free.map { $0 + 1 })
        }
    }

    @Test("what a project uses is found by its name")
    func usagePlan() async throws {
        let sqlite = try #require(DatabaseUnderTest.all.first)
        try await sqlite.withTables { tables in
            let plan = try await tables.database.read { connection in
                let recording = RecordingConnection(connection)
                _ = try UsageTable(recording).usage(of: "p")
                return try recording.plan().description
            }
            #expect(plan == "SEARCH project_usage USING PRIMARY KEY (owner=?)")
        }
    }
}
