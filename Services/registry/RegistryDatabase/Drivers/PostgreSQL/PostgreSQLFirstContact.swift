internal import CPostgreSQL

/// The first contact of a program with its server: whether it lets us in, and if not, whether waiting can help.
struct PostgreSQLFirstContact: Sendable {
    enum Outcome: Sendable {
        case reached
        /// Nobody answers, or somebody who is starting, full, or not the one who writes.
        case notYet(DatabaseError)
        /// Somebody has to change something first; the sentence says what.
        case mistake(DatabaseError)
    }

    let settings: PostgreSQLSettings

    /// Tries once. Blocks for `connect_timeout` a host, and a few seconds more when a failure has to be understood.
    func attempt() -> Outcome {
        do {
            _ = try PostgreSQLSession(settings.address, settings: settings.sessionSettings(mayWrite: false))
            return .reached
        } catch {
            guard error.isRetryable else { return .mistake(error) }
            guard let advice = advice(on: error.message) else { return .notYet(error) }
            return .mistake(DatabaseError(.other, "\(error.message) \(advice)"))
        }
    }

    private func advice(on message: String) -> String? {
        // Where libpq alone is at work the words are its own, and never translated here: nobody sets a locale.
        if message.contains("no password supplied") { return Self.wrongUser }
        if message.contains("certificate") || message.contains("private key") || message.contains("SSL was required") {
            return
                "Correct sslmode, sslrootcert, sslcert or sslkey in [database] connection, or the server's certificate."
        }
        switch settings.address.connecting(within: 3).withParameters({ PQpingParams($0, $1, 0) }) {
        case PQPING_NO_ATTEMPT: return "Correct [database] connection, or connection_parameters."
        case PQPING_OK: return refusal().flatMap(Self.advice(onState:))
        default: return nil
        }
    }

    private static let wrongUser = "Correct the user or the password in [database] connection, or its passfile."

    /// - Parameter state: https://www.postgresql.org/docs/current/errcodes-appendix.html
    private static func advice(onState state: String) -> String? {
        switch state {
        case "28P01": wrongUser
        case "28000":
            "Correct the user in [database] connection, create that role, or let it in from here in the server's pg_hba.conf."
        case "3D000": "Create the database (docs/database.md says how), or correct its name in [database] connection."
        case "42501": "Let the user of [database] connection connect to that database (GRANT CONNECT ON DATABASE)."
        // Settings that the connection asks for, in options=, which the server does not have or does not take.
        case "42704", "22023", "42601": "Correct the options in [database] connection."
        default: nil
        }
    }

    /// The state with which a server refuses us, whatever language it speaks; `nil` when none does.
    ///
    /// libpq keeps it for itself, but for a session that is told to be verbose before it connects again.
    private func refusal() -> String? {
        let handle = settings.address.connecting(within: 3).withParameters { PQconnectdbParams($0, $1, 0) }
        guard let handle else { return nil }
        defer { PQfinish(handle) }
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        guard PQstatus(handle) != CONNECTION_OK else { return nil }
        PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        PQreset(handle)
        guard PQstatus(handle) != CONNECTION_OK, let text = PQerrorMessage(handle) else { return nil }
        return Self.state(in: String(cString: text))
    }

    /// Finds `28P01` in `… failed: FATAL:  28P01: password authentication failed …`.
    static func state(in text: String) -> String? {
        let parts = text.split(separator: ":").map { $0.drop { $0 == " " } }
        let state = parts.first { part in
            part.utf8.count == 5 && part.contains { ("0"..."9").contains($0) }
                && part.allSatisfy { ("0"..."9").contains($0) || ("A"..."Z").contains($0) }
        }
        return state.map(String.init)
    }
}
