import Foundation
import RegistryDatabase
import Synchronization
import Testing

/// A server that has fewer connections for a registry than its pool may open.
@Suite(
    "PostgreSQL with few connections",
    .enabled(if: PostgreSQLServer.shared != nil, "GLANCE_TEST_POSTGRESQL is not set")
)
struct PostgreSQLShortageTests {
    /// Two threads are kept, one that reads and one that writes, and many more are allowed.
    private func withConnections(
        _ limit: Int,
        _ body: (PostgreSQLDatabase, _ name: String, _ wasShort: @Sendable () -> Bool) async throws -> Void
    ) async throws {
        let server = try #require(PostgreSQLServer.shared)
        let manager = try #require(try await server.management as? any OnlineDatabase)
        let name = "test_few_\(UUID().uuidString.prefix(8).lowercased())"
        try await manager.session { session in
            try session.alone("CREATE DATABASE \(name) TEMPLATE template0 CONNECTION LIMIT \(limit)")
        }
        var settings = PostgreSQLSettings(
            try PostgreSQLAddress(url: server.url, adding: "dbname=\(name)", program: "tests")
        )
        settings.connections = 2
        settings.overflow = 20
        settings.limits.patience = .seconds(120)
        settings.pauseLimit = .seconds(120)
        let shortages = Counter()
        settings.onShortage = { _ in shortages.increase() }
        let database = try PostgreSQLDatabase(settings)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(database, name) { shortages.value > 0 })
        } catch {
            result = .failure(error)
        }
        await database.close()
        try await drop(name, manager)
        try result.get()
    }

    /// Not by force, which may not end an autovacuum. The server takes its time to forget sessions that have ended, and
    /// waits for them five seconds each time.
    private func drop(_ name: String, _ manager: any OnlineDatabase) async throws {
        let isDropped = try await eventually(asking: 60) {
            do {
                try await manager.session { try $0.alone("DROP DATABASE \(name)") }
                return true
            } catch is DatabaseError {
                return false
            }
        }
        #expect(isDropped, "\(name)")
    }

    private final class Counter: Sendable {
        private let count = Atomic(0)
        var value: Int { count.load(ordering: .relaxed) }
        func increase() { count.add(1, ordering: .relaxed) }
    }

    private static let one: @Sendable (any SQLConnection) throws -> Int64? = { connection in
        try connection.first("SELECT 1") { $0.integer(0) }
    }

    @Test("threads that are not let in leave the work to those that are, and nothing is refused")
    func leftToOthers() async throws {
        try await withConnections(2) { database, _, wasShort in
            #expect(try await database.read(Self.one) == 1)
            try await database.write { try $0.script("CREATE TABLE notes (id BIGINT PRIMARY KEY)") }
            let gate = Gate()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await database.write { _ in gate.pass() } }
                await gate.isReached()
                for id in Int64(0)..<12 {
                    group.addTask {
                        try await database.write { _ = try $0.execute("INSERT INTO notes VALUES (?)", [.integer(id)]) }
                    }
                }
                #expect(try await eventually(asking: 3_000) { wasShort() })
                gate.open()
                try await group.waitForAll()
            }
            let count = try await database.read { try $0.first("SELECT count(*) FROM notes") { $0.integer(0) } }
            #expect(count == 12)
        }
    }

    @Test("threads that read leave a connection to those that write, when these have none")
    func leftToWriters() async throws {
        try await withConnections(2) { database, _, _ in
            let gates = [Gate(), Gate()]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for gate in gates {
                    group.addTask {
                        try await database.read { connection in
                            _ = try Self.one(connection)
                            gate.pass()
                        }
                    }
                }
                for gate in gates { await gate.isReached() }
                group.addTask {
                    let written = try await database.write(Self.one)
                    #expect(written == 1)
                }
                // One is idle when it is asked, or soon after.
                for gate in gates { gate.open() }
                try await group.waitForAll()
            }
            #expect(try await database.read(Self.one) == 1)
        }
    }

    @Test("where others have all connections, jobs are refused in bounded time, and go on once there are some")
    func noneLeft() async throws {
        let server = try #require(PostgreSQLServer.shared)
        try await withConnections(0) { database, name, _ in
            let start = ContinuousClock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        let error = await #expect(throws: DatabaseError.self) { try await database.write(Self.one) }
                        #expect(error?.code == .unavailable)
                    }
                }
                try await group.waitForAll()
            }
            // Five seconds are allowed for, of two minutes that each of them has otherwise.
            #expect(ContinuousClock.now - start < .seconds(60))
            try await server.execute("ALTER DATABASE \(name) CONNECTION LIMIT 2")
            let isBack = try await eventually {
                let written = try? await database.write(Self.one)
                return written == 1
            }
            #expect(isBack)
        }
    }
}
