import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// Limits under everything at once: in random order against figures added up from the rows, and at the same time.
@Suite("Usage under load")
struct ConcurrentUsageTests {
    private static let projects = ["p", "q"]

    @Test("the counters are what the rows add up to, whatever happens", arguments: DatabaseUnderTest.all)
    func random(_ subject: DatabaseUnderTest) async throws {
        print("seed of the usage test on \(subject.testDescription): \(SeededGenerator.seed)")
        var generator = SeededGenerator()
        try await subject.withTables { tables in
            var life = RandomLife(tables: tables)
            for step in 0..<400 {
                let name = try await life.step(&generator)
                for project in Self.projects {
                    let counted = try await tables.usage(of: project)
                    let expected = try await PlainUsage.of(project, tables)
                    #expect(counted == expected, "seed \(SeededGenerator.seed), step \(step): \(name), \(project)")
                    if counted != expected { return }
                }
            }
        }
    }

    /// Runs `body` for each number at once, again where the database asks for it; how many were not refused.
    private func admitted(_ count: Int, _ body: @escaping @Sendable (Int) async throws -> Void) async throws -> Int {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<count {
                group.addTask {
                    while true {
                        do {
                            try await body(number)
                            return true
                        } catch let error as DatabaseError where error.isRetryable {
                            try await Task.sleep(for: .milliseconds(.random(in: 1...20)))
                        } catch let error as RegistryError where error.code == .limitExceeded {
                            return false
                        }
                    }
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
    }

    @Test("of two hundred creations ten find room", arguments: DatabaseUnderTest.all)
    func creations(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let count = try await admitted(200) { number in
                try await tables.create(Image(id: .numbered(number), owner: "p"), within: UsageLimits(imageCount: 10))
            }
            #expect(count == 10)
            #expect(try await tables.usage(of: "p") == ProjectUsage(imageCount: 10))
        }
    }

    @Test(
        "of two hundred uploads ten find room, whether they say how long they are or not",
        arguments: DatabaseUnderTest.all
    )
    func uploads(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for number in 0..<200 { try await tables.create(Image(id: .numbered(number), owner: "p")) }
            let limits = UsageLimits(storageQuota: 50)
            let count = try await admitted(200) { number in
                let attempt = "a\(number)"
                let isDeclared = number % 2 == 0
                if try await tables.show(.numbered(number)).status == .queued {
                    try await tables.begin(
                        .numbered(number),
                        attempt: attempt,
                        size: isDeclared ? 5 : nil,
                        within: limits
                    )
                }
                do {
                    if !isDeclared { _ = try await tables.reserve(attempt, needed: 5) }
                } catch let error as RegistryError {
                    try await tables.abort(attempt)
                    throw error
                }
                try await tables.finish(attempt, size: 5)
            }
            #expect(count == 10)
            #expect(try await tables.usage(of: "p") == ProjectUsage(imageCount: 200, storedBytes: 50))
        }
    }
}

/// Everything that may happen to a few images, in any order. What the tables refuse has not happened.
private struct RandomLife {
    let tables: RegistryTables
    private var attempts: [String] = []
    private var deletions: [PendingDeletion] = []
    private var count = 0
    private var now = Timestamp.start

    init(tables: RegistryTables) { self.tables = tables }

    /// - Returns: what was tried.
    mutating func step(_ generator: inout SeededGenerator) async throws -> String {
        count += 1
        let id = ImageID.numbered(Int.random(in: 0..<8, using: &generator))
        let size = Bool.random(using: &generator) ? Int64.random(in: 1...9, using: &generator) : nil
        let attempt = attempts.randomElement(using: &generator) ?? "none"
        let owner = [nil, "p", "q"].randomElement(using: &generator) ?? nil
        let name =
            [
                "create", "create", "begin", "begin", "stage", "reserve", "finish", "finish", "finish staging", "abort",
                "expire", "delete", "restore", "clear", "relocate", "give", "deactivate", "purge",
            ].randomElement(using: &generator) ?? "create"
        do {
            try await carryOut(name, id, size, attempt, owner)
        } catch is RegistryError {
            return "\(name) (refused)"
        }
        return name
    }

    private mutating func carryOut(
        _ name: String,
        _ id: ImageID,
        _ size: Int64?,
        _ attempt: String,
        _ owner: String?
    ) async throws {
        switch name {
        case "create": try await tables.create(Image(id: id, owner: owner), at: now)
        case "begin", "stage":
            let new = "a\(count)"
            if name == "begin" {
                let limits = UsageLimits(storageQuota: Int64(count) % 3 == 0 ? nil : 1_000)
                try await tables.begin(id, attempt: new, size: size, within: limits, at: now)
            } else {
                try await tables.beginStaging(id, attempt: new, size: size, at: now)
            }
            attempts.append(new)
        case "reserve": _ = try await tables.reserve(attempt, needed: size ?? 1, wanted: 12, at: now)
        case "finish": try await tables.finish(attempt, size: size ?? 3, at: now)
        case "finish staging": try await tables.finishStaging(attempt, size: size ?? 3, at: now)
        case "abort": try await tables.abort(attempt, isDiscarded: size == nil, at: now)
        case "expire":
            now = now + 61
            _ = try await tables.reap(at: now)
        case "delete": deletions += try await tables.delete(id, at: now)
        case "restore": try await tables.restore(id, at: now)
        case "clear":
            try await tables.finishDeletions(deletions)
            deletions = []
        case "purge":
            try await tables.database.write { [now] connection in
                _ = try connection.execute(
                    """
                    DELETE FROM images WHERE deleted_at < ?
                        AND NOT EXISTS (SELECT 1 FROM image_locations l WHERE l.image_id = images.id)
                    """,
                    [.integer((now + 1).microseconds)]
                )
            }
        default: try await change(name, id, owner)
        }
    }

    private func change(_ name: String, _ id: ImageID, _ owner: String?) async throws {
        var image = try await tables.show(id)
        switch name {
        case "give":
            image.owner = owner
            try await tables.update(image, at: now)
        case "deactivate":
            image.status = image.status == .active ? .deactivated : .active
            try await tables.update(image, at: now)
        default:
            if image.status == .queued { (image.status, image.size) = (.active, 6) }
            image.locations.append(ImageLocation(url: "http://a/\(count)"))
            try await tables.relocate(image, at: now)
        }
    }
}
