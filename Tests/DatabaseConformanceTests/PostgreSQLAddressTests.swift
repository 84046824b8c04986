import RegistryDatabase
import Testing

@testable import RegistryDatabase

/// What an operator writes as `[database] connection`, and what is never repeated of it.
@Suite("PostgreSQL addresses")
struct PostgreSQLAddressTests {
    private static let secret = "pa55word"

    private func parameters(_ url: String, adding more: String = "") throws -> [String: String] {
        try PostgreSQLAddress(url: url, adding: more, program: "tests").withParameters { names, values in
            var parameters: [String: String] = [:]
            var index = 0
            while let name = names[index], let value = values[index] {
                parameters[String(cString: name)] = String(cString: value)
                index += 1
            }
            return parameters
        }
    }

    @Test(
        "the forms that operators know",
        arguments: ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+asyncpg"]
    )
    func schemes(_ scheme: String) throws {
        let found = try parameters("\(scheme)://glance:\(Self.secret)@db.example:5433/images?sslmode=require")
        #expect(found["host"] == "db.example")
        #expect(found["port"] == "5433")
        #expect(found["user"] == "glance")
        #expect(found["password"] == Self.secret)
        #expect(found["dbname"] == "images")
        #expect(found["sslmode"] == "require")
        #expect(found["client_encoding"] == "UTF8")
        #expect(found["fallback_application_name"] == "tests")
        #expect(found["connect_timeout"] == "10")
    }

    @Test("several hosts, sockets and further parameters")
    func hosts() throws {
        let url = "postgresql://u:p%40%2Fw@one:5432,two:5433/db?target_session_attrs=read-write&connect_timeout=3"
        let found = try parameters(url, adding: "application_name=glance&keepalives_idle=5")
        #expect(found["host"] == "one,two")
        #expect(found["port"] == "5432,5433")
        #expect(found["password"] == "p@/w")
        #expect(found["target_session_attrs"] == "read-write")
        #expect(found["connect_timeout"] == "3")
        #expect(found["application_name"] == "glance")
        #expect(found["keepalives_idle"] == "5")
        #expect(try parameters("postgresql:///db?host=/run/postgresql")["host"] == "/run/postgresql")
        #expect(try parameters("postgresql:///db", adding: "sslmode=disable")["sslmode"] == "disable")
    }

    @Test(
        "what cannot be read is refused with a sentence that repeats nothing",
        arguments: [
            "mysql://u:pa55word@h/db", "postgresql:/u:pa55word@h/db", "", "pa55word",
            "postgresql://u:pa55@word@pa55word/db", "postgresql://u:pa/pa55word@h/db",
            "postgresql://u:pa?pa55word@h/db",
            "postgresql://u:pa55word@h:5432x/db", "postgresql://u:pa55word@h:0/db",
            "postgresql://u:pa55word@h:70000/db",
            "postgresql://u:pa55word%@h/db", "postgresql://u:pa%00pa55word@h/db",
            "postgresql://u@h/db?passwort=pa55word",
            "postgresql://u@h/db?pa55word",
        ]
    )
    func refused(_ url: String) {
        let error = #expect(throws: DatabaseError.self) { try parameters(url) }
        #expect(error?.message.contains("postgresql://user:password@host:port/database") == true)
        #expect(error?.description.contains(Self.secret) == false)
    }

    @Test("a password is not in what the operator is told", arguments: ["127.0.0.1:1", "no-such-host.invalid"])
    func unreachable(_ host: String) async throws {
        let url = "postgresql://u:\(Self.secret)@\(host)/db?connect_timeout=2"
        var settings = PostgreSQLSettings(try PostgreSQLAddress(url: url, program: "tests"))
        settings.connections = 1
        settings.limits.patience = .milliseconds(400)
        let database = try PostgreSQLDatabase(settings)
        var told: [String] = []
        let error = await #expect(throws: DatabaseError.self) {
            try await database.requireReachable(retries: 2, interval: .milliseconds(10)) { told.append($0.message) }
        }
        #expect(told.count == 2)
        #expect(error?.code == .unavailable)
        for text in told + [error?.description ?? Self.secret] {
            #expect(text.contains("cannot be reached"))
            #expect(!text.contains(Self.secret))
        }
        await database.close()
    }

    @Test("a server's words are told without the password")
    func redaction() throws {
        let address = try PostgreSQLAddress(url: "postgresql://u:\(Self.secret)@h/db", program: "tests")
        #expect(address.redacted("no entry for \(Self.secret)/\(Self.secret)") == "no entry for ***/***")
    }

    @Test(
        "placeholders are numbered, but not in literals, names and comments",
        arguments: [
            ("SELECT ?", "SELECT $1", 1), ("a = ? AND b = ?", "a = $1 AND b = $2", 2), ("", "", 0),
            ("'?' || ? || 'it''s ?'", "'?' || $1 || 'it''s ?'", 1), ("\"a?\" = ?", "\"a?\" = $1", 1),
            ("? -- ?\n, ?", "$1 -- ?\n, $2", 2), ("? /* ? /* ? */ ? */ ?", "$1 /* ? /* ? */ ? */ $2", 2),
            ("$$ ? $$, ?", "$$ ? $$, $1", 1), ("$q$ ? $$ ? $q$, ?", "$q$ ? $$ ? $q$, $1", 1),
            ("E'\\'?' , ?", "E'\\'?' , $1", 1), ("type'\\', ?", "type'\\', $1", 1), ("'open ?", "'open ?", 0),
            ("/* open ?", "/* open ?", 0), ("-- open ?", "-- open ?", 0), ("a$1$?", "a$1$$1", 1),
            ("'é?' ? \"🦅?\"", "'é?' $1 \"🦅?\"", 1),
        ]
    )
    func placeholders(_ sql: String, _ numbered: String, _ count: Int) {
        let found = PostgreSQLPlaceholders.number(sql)
        #expect(found.sql == numbered)
        #expect(found.count == count)
    }
}
