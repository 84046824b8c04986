import Foundation
import RegistryDatabase
import Testing

/// The server that the tests share, one schema each.
struct PostgreSQLServer: Sendable {
    /// `nil` where the environment names none; the suites then run on SQLite alone.
    static let shared: PostgreSQLServer? = {
        guard let url = ProcessInfo.processInfo.environment["GLANCE_TEST_POSTGRESQL"] else { return nil }
        return PostgreSQLServer(url: url)
    }()
    /// A server has some hundred connections, and a machine more tests than that at once.
    static let turns = Turns(12)

    let url: String
    private let manager = Manager()

    /// Where the tables of a test are, by its folder.
    static func schema(of folder: String) -> String {
        let name = folder.split(separator: "/").last ?? ""
        return "test_" + name.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    func address(of schema: String, adding more: String = "") throws -> PostgreSQLAddress {
        let path = "options=-csearch_path%3D\(schema)"
        return try PostgreSQLAddress(url: url, adding: more.isEmpty ? path : "\(path)&\(more)", program: "tests")
    }

    /// A statement outside of every test's schema.
    func execute(_ sql: String) async throws { try await manager.database(url).write { try $0.script(sql) } }

    /// The connection that makes and removes schemas, and looks after the others.
    var management: any Database { get async throws { try await manager.database(url) } }

    private actor Manager {
        private var opened: PostgreSQLDatabase?

        func database(_ url: String) throws -> PostgreSQLDatabase {
            if let opened { return opened }
            var settings = PostgreSQLSettings(try PostgreSQLAddress(url: url, program: "tests"))
            settings.connections = 2
            settings.overflow = 0
            // All tests come here, on a machine that may stand still between a statement and its commit.
            settings.limits.patience = .seconds(300)
            settings.pauseLimit = .seconds(300)
            settings.retries = nil
            let database = try PostgreSQLDatabase(settings)
            opened = database
            return database
        }
    }
}

/// Lets so many go on at once; the others wait their turn.
actor Turns {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    func take() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func giveBack() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}

@Suite("Databases under test")
struct DatabasesUnderTestTests {
    /// Tells whoever reads the results that half of them are missing.
    @Test(
        "the suites run on PostgreSQL too",
        .enabled(
            if: PostgreSQLServer.shared != nil,
            "GLANCE_TEST_POSTGRESQL is not set: the database suites run on SQLite alone"
        )
    )
    func postgresql() async throws {
        let server = try #require(PostgreSQLServer.shared)
        let version = try await server.management.read { connection in
            try connection.first("SELECT current_setting('server_version_num')") { $0.integer(0) }
        }
        #expect(try #require(version) >= 120_000)
    }
}
