import ImageModel
import RegistryContract
import RegistryDatabase
import Synchronization
import Testing

/// Random operations from many tasks at once, on SQLite through one registry's database and on PostgreSQL through two:
/// what they were told must add up to what is there at the end.
@Suite("Concurrent operations")
struct ConcurrentOperationsTests {
    private static let images = 6
    private static let tasks = 12
    private static let operations = 60
    private static let quota: Int64 = 3

    /// What the tasks were told about one image.
    private struct Ledger {
        var creations = 0
        /// Each change of the record raises its revision by one.
        var changes: Int64 = 0
        var increments = 0
        var tags: Set<String> = []
        var members: [String: Int] = [:]
        var finished: [String] = []
        var open: Set<String> = []
        var deletions = 0
    }

    private final class Book: Sendable {
        private let ledgers = Mutex([Int: Ledger]())

        func note(_ image: Int, _ change: (inout Ledger) -> Void) {
            ledgers.withLock { change(&$0[image, default: Ledger()]) }
        }

        func ledger(_ image: Int) -> Ledger { ledgers.withLock { $0[image] ?? Ledger() } }
    }

    @Test("what many were told at once adds up", arguments: DatabaseUnderTest.all)
    func random(_ subject: DatabaseUnderTest) async throws {
        let seed = SeededGenerator.seed
        try await subject.withRegistries { registries in
            let book = Book()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<Self.tasks {
                    group.addTask {
                        var random = SeededGenerator(seed: seed &+ UInt64(task) &* 7_919)
                        for step in 0..<Self.operations {
                            let registry = registries[Int.random(in: 0..<registries.count, using: &random)]
                            let image = Int.random(in: 0..<Self.images, using: &random)
                            let name = "\(task)-\(step)"
                            let kind = Int.random(in: 0..<20, using: &random)
                            try await Self.operate(kind, registry, image, name, book)
                        }
                    }
                }
                try await group.waitForAll()
            }
            for image in 0..<Self.images {
                try await Self.compare(image, book.ledger(image), registries[0], "TEST_SEED=\(seed)")
            }
        }
    }

    /// One operation, and what came of it in the book. Refusals of the registry's own are answers, too.
    private static func operate(
        _ kind: Int,
        _ tables: RegistryTables,
        _ image: Int,
        _ name: String,
        _ book: Book
    ) async throws {
        let id = ImageID.numbered(image)
        do {
            switch kind {
            case 0...2:
                try await tables.create(Image(id: id, visibility: .shared, owner: "o", properties: ["n": "0"]))
                book.note(image) { $0.creations += 1 }
            case 3:
                var record = try await tables.show(id)
                record.owner = name
                try await tables.update(record)
                book.note(image) { $0.changes += 1 }
            case 4...7:
                var record = try await tables.show(id)
                record.properties["n"] = "\(Int(record.properties["n"].flatMap { $0 } ?? "0").map { $0 + 1 } ?? -1)"
                record.tags.append(name)
                try await tables.update(record)
                book.note(image) {
                    $0.changes += 1
                    $0.increments += 1
                    $0.tags.insert(name)
                }
            case 8...10:
                let member = "member \(name.utf8.count % 5)"
                try await tables.add(member, to: id, revision: try await tables.show(id).revision, quota: quota)
                book.note(image) { $0.members[member, default: 0] += 1 }
            case 11...12:
                let record = try await tables.show(id)
                guard let member = try await tables.members(of: id).first?.member else { return }
                try await tables.remove(member, from: id, revision: record.revision)
                book.note(image) { $0.members[member, default: 0] -= 1 }
            case 13...15:
                try await upload(tables, image, name, book, isFinished: kind == 13)
            default:
                // Late, so that there is a life before it.
                guard book.ledger(image).changes > 30 else { return }
                let deletions = try await tables.delete(id)
                book.note(image) {
                    $0.deletions += 1
                    $0.changes += 1
                }
                try await tables.finishDeletions(deletions)
            }
        } catch is RegistryError {
            // Somebody else was there before.
        }
    }

    /// Begins an attempt, and finishes it, gives it up, or leaves it open.
    private static func upload(
        _ tables: RegistryTables,
        _ image: Int,
        _ attempt: String,
        _ book: Book,
        isFinished: Bool
    ) async throws {
        guard try await tables.begin(.numbered(image), attempt: attempt).leaseSeconds > 0 else { return }
        book.note(image) {
            $0.changes += 1
            $0.open.insert(attempt)
        }
        if isFinished {
            try await tables.finish(attempt)
        } else {
            // False: this attempt had not been finished. A deleted image is not given back.
            guard try await tables.abort(attempt, isDiscarded: true) == false else { return }
            guard (try? await tables.show(.numbered(image))) != nil else {
                book.note(image) { $0.open.remove(attempt) }
                return
            }
        }
        book.note(image) {
            $0.open.remove(attempt)
            $0.changes += 1
            if isFinished { $0.finished.append(attempt) }
        }
    }

    private static func compare(
        _ image: Int,
        _ ledger: Ledger,
        _ tables: RegistryTables,
        _ seed: Comment
    ) async throws {
        let id = ImageID.numbered(image)
        let key: [SQLValue] = [.text(id.text)]
        func count(_ table: String, _ condition: String = "1 = 1") async throws -> Int64 {
            try await tables.count("\(table) WHERE image_id = ? AND \(condition)", key)
        }
        #expect(ledger.creations <= 1, seed)
        #expect(ledger.deletions <= ledger.creations, seed)
        #expect(ledger.finished.count <= 1, seed)
        guard ledger.creations == 1 else { return }
        guard ledger.deletions == 0 else {
            #expect(await refusal { try await tables.show(id) } == .notFound, seed)
            #expect(try await count("uploads") == 0, seed)
            return
        }
        let record = try await tables.show(id)
        #expect(record.revision == 1 + ledger.changes, seed)
        #expect(record.properties["n"] == "\(ledger.increments)", seed)
        #expect(Set(record.tags) == ledger.tags, seed)
        #expect(record.tags.count == ledger.tags.count, seed)
        #expect(try await tables.count("\(TagAudienceTests.stale) AND i.id = ?", key) == 0, seed)
        let members = try await tables.members(of: id).map(\.member)
        #expect(Set(members) == Set(ledger.members.filter { $0.value == 1 }.keys), seed)
        #expect(ledger.members.values.allSatisfy { $0 == 0 || $0 == 1 }, seed)
        #expect(members.count <= Int(quota), seed)
        #expect(ledger.open.isEmpty, seed)
        #expect(record.status == (ledger.finished.isEmpty ? .queued : .active), seed)
        #expect(try await count("uploads") == 0, seed)
        #expect(try await count("image_locations", "state = 'live'") == Int64(ledger.finished.count), seed)
        #expect(try await count("image_locations", "state = 'intended'") == 0, seed)
    }

    @Test("expired uploads are ended once, however many end them", arguments: DatabaseUnderTest.all)
    func reap(_ subject: DatabaseUnderTest) async throws {
        try await subject.withRegistries { registries in
            for number in 0..<40 {
                try await registries[0].create(Image(id: .numbered(number)))
                try await registries[0].begin(.numbered(number), attempt: "attempt \(number)")
            }
            let ended = try await withThrowingTaskGroup(of: Int.self) { group in
                for task in 0..<8 {
                    group.addTask { try await registries[task % registries.count].reap(at: .start + 61, limit: 10) }
                }
                return try await group.reduce(0, +)
            }
            while try await registries[0].reap(at: .start + 61) > 0 {}
            #expect(ended >= 10)
            for number in 0..<40 {
                let image = try await registries[0].show(.numbered(number))
                #expect(image.status == .queued)
                // Created, begun, ended: each raised it once.
                #expect(image.revision == 3)
            }
            #expect(try await registries[0].count("image_locations WHERE state = 'deleting'") == 40)
        }
    }
}

extension DatabaseUnderTest {
    /// A migrated database as the registries see it that may use it at once: one with SQLite, two with PostgreSQL.
    func withRegistries(_ body: ([RegistryTables]) async throws -> Void) async throws {
        try await withPlace { folder in
            var databases: [any Database] = []
            for _ in 0..<(testDescription == "SQLite" ? 1 : 2) {
                databases.append(try await open(folder, DatabaseLimits(), false))
            }
            let result: Result<Void, any Error>
            do {
                try await MigrationRunner(Migration.all).sync(databases[0])
                result = .success(try await body(databases.map { RegistryTables(database: $0) }))
            } catch {
                result = .failure(error)
            }
            for database in databases { await database.close() }
            try result.get()
        }
    }
}
