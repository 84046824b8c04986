/// A failed statement or session: what to report, and what can be done about it first.
struct PostgreSQLFailure: Error {
    var error: DatabaseError
    var remedy: Remedy

    enum Remedy: Equatable {
        /// Trying again would fail alike.
        case none
        /// Transactions collided: this one rolled back, and may well succeed the next time.
        case again
        /// The server no longer has the prepared statements as they were: prepare them anew, then again.
        case prepareAnew
        /// The session is lost, or is with a server that may not write: open another, then again.
        case reconnect
    }

    init(_ error: DatabaseError, _ remedy: Remedy = .none) {
        self.error = error
        self.remedy = remedy
    }

    /// What the server says about a statement.
    ///
    /// Only the primary message is kept: its details name values.
    ///
    /// - Parameters:
    ///   - sql: the statement.
    ///   - mayWrite: whether it belongs to a transaction that may write.
    init(_ result: PostgreSQLResult, sql: String, mayWrite: Bool) {
        let state = result.field(.sqlState) ?? ""
        let text = result.field(.message) ?? "the server did not say why"
        let constraint = result.field(.constraint) ?? text
        let code = DatabaseError.Code(sqlState: state, constraint: constraint)
        self.init(DatabaseError(code, "\(text) [\(state)] in: \(sql)"), Remedy(sqlState: state, mayWrite: mayWrite))
    }

    static func lost(_ text: String) -> PostgreSQLFailure {
        PostgreSQLFailure(DatabaseError(.unavailable, "The connection was lost: \(text)"), .reconnect)
    }
}

extension DatabaseError.Code {
    /// - Parameter sqlState: https://www.postgresql.org/docs/current/errcodes-appendix.html
    fileprivate init(sqlState: String, constraint: String) {
        switch sqlState {
        case "23505", "23P01": self = .uniqueViolation(constraint)
        case "23503", "23001": self = .foreignKeyViolation
        case "40001", "40P01", "55P03", "55006": self = .busy
        case "57014": self = .timedOut
        // untranslatable_character, character_not_in_repertoire: U+0000 within JSON, or no UTF-8.
        case "22P05", "22021": self = .unstorableText
        case "25006": self = .readOnly
        case "53100": self = .full
        case "53300", "3D000": self = .unavailable
        case "53200": self = .overloaded
        default:
            switch sqlState.prefix(2) {
            case "08", "28", "57": self = .unavailable
            case "XX", "58": self = sqlState == "XX001" || sqlState == "XX002" ? .corrupt : .other
            default: self = .other
            }
        }
    }
}

extension PostgreSQLFailure.Remedy {
    fileprivate init(sqlState: String, mayWrite: Bool) {
        switch sqlState {
        // serialization_failure, deadlock_detected, lock_not_available
        case "40001", "40P01", "55P03": self = .again
        // invalid_sql_statement_name: somebody discarded them; "cached plan must not change result type": a migration.
        case "26000", "0A000": self = .prepareAnew
        // read_only_sql_transaction: the server became a standby.
        case "25006": self = mayWrite ? .reconnect : .none
        // admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped, idle_session_timeout,
        // idle_in_transaction_session_timeout
        case "57P01", "57P02", "57P03", "57P04", "57P05", "25P03": self = .reconnect
        default: self = sqlState.hasPrefix("08") ? .reconnect : .none
        }
    }
}
