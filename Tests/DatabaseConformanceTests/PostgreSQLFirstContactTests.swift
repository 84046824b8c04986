import Foundation
import Testing

@testable import RegistryDatabase

/// What no waiting can mend is told at once, on a real server; what it can is waited for.
@Suite(
    "First contact with PostgreSQL",
    .enabled(if: PostgreSQLServer.shared != nil, "GLANCE_TEST_POSTGRESQL is not set")
)
struct PostgreSQLFirstContactTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// Of what the sentence says to change.
        var advice: String
        var change: @Sendable (inout URLComponents) -> Void

        init(_ name: String, _ advice: String, _ change: @escaping @Sendable (inout URLComponents) -> Void) {
            testDescription = name
            self.advice = advice
            self.change = change
        }

        init(_ name: String, _ advice: String, parameter: String, _ value: String) {
            self.init(name, advice) { url in
                url.queryItems = (url.queryItems ?? []) + [URLQueryItem(name: parameter, value: value)]
            }
        }

        static let all = [
            Mistake("a wrong password", "the password in [database] connection") { $0.password = "wr0ng-s3cret" },
            Mistake("no password", "the password in [database] connection") { $0.password = nil },
            Mistake("a user that does not exist", "in [database] connection") { $0.user = "nobody-here" },
            Mistake("a database that does not exist", "Create the database") { $0.path = "/no-such-database" },
            Mistake("a wrong sslmode", "Correct [database] connection", parameter: "sslmode", "sometimes"),
            Mistake("a wrong target", "Correct [database] connection", parameter: "target_session_attrs", "write"),
            Mistake("two addresses for one host", "Correct [database]", parameter: "hostaddr", "127.0.0.1,127.0.0.1"),
            Mistake("a setting that is none", "Correct the options", parameter: "options", "-cno_such_setting=1"),
            Mistake("a root certificate that is missing", "sslrootcert") { url in
                let more = [("sslmode", "verify-full"), ("sslrootcert", "/nowhere/ca.pem")]
                url.queryItems = (url.queryItems ?? []) + more.map { URLQueryItem(name: $0.0, value: $0.1) }
            },
        ]
    }

    private func database(_ change: (inout URLComponents) -> Void) throws -> PostgreSQLDatabase {
        let server = try #require(PostgreSQLServer.shared)
        var url = try #require(URLComponents(string: server.url))
        change(&url)
        let text = try #require(url.string)
        var settings = PostgreSQLSettings(
            try PostgreSQLAddress(url: text, adding: "connect_timeout=30", program: "tests")
        )
        settings.connections = 2
        settings.overflow = 0
        return try PostgreSQLDatabase(settings)
    }

    @Test("a mistake is told at once, with what to change", arguments: Mistake.all)
    func mistake(_ mistake: Mistake) async throws {
        let database = try database(mistake.change)
        let clock = ContinuousClock()
        let start = clock.now
        let error = await #expect(throws: DatabaseError.self) {
            try await database.requireReachable(retries: nil, interval: .seconds(3_600)) {
                Issue.record("waits for a mistake to go away: \($0.message)")
            }
        }
        // Whoever waits does so for an hour.
        #expect(clock.now - start < .seconds(1_800))
        let message = try #require(error?.message)
        #expect(error?.isRetryable == false)
        #expect(message.contains(mistake.advice), "\(message)")
        #expect(message.hasSuffix("."), "\(message)")
        #expect(!message.contains("s3cret"), "\(message)")
        await database.close()
    }

    @Test("a server that is right is reached at once")
    func reached() async throws {
        let database = try database { _ in }
        try await database.requireReachable(retries: 0, interval: .zero) { Issue.record("\($0)") }
        await database.close()
    }

    @Test("nobody at the address, or only servers that may not be written, is waited for as long as was said")
    func notYet() async throws {
        let standby = [
            URLQueryItem(name: "options", value: "-cdefault_transaction_read_only=on"),
            URLQueryItem(name: "target_session_attrs", value: "read-write"),
        ]
        let changes: [@Sendable (inout URLComponents) -> Void] = [
            { $0.port = 1 }, { $0.host = "no-such-host.invalid" }, { $0.queryItems = ($0.queryItems ?? []) + standby },
        ]
        for change in changes {
            let database = try database(change)
            var told = 0
            let error = await #expect(throws: DatabaseError.self) {
                try await database.requireReachable(retries: 2, interval: .milliseconds(10)) { _ in told += 1 }
            }
            #expect(told == 2, "\(error?.message ?? "")")
            #expect(error?.code == .unavailable, "\(error?.message ?? "")")
            await database.close()
        }
    }

    @Test(
        "the state of a refusal is found whatever language it is in",
        arguments: [
            (
                "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: password authentication failed",
                "28P01"
            ),
            ("… port 5432 fehlgeschlagen: FATAL:  3D000: Datenbank »x« existiert nicht\nORT: postinit.c:885", "3D000"),
            ("connection to server at \"::1\", port 5432 failed: Connection refused", nil),
            ("", nil),
        ] as [(String, String?)]
    )
    func states(_ text: String, _ state: String?) { #expect(PostgreSQLFirstContact.state(in: text) == state) }
}
