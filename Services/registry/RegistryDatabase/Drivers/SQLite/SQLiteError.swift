internal import CSQLite

extension DatabaseError {
    /// What SQLite says about the call that just failed on this connection.
    ///
    /// - Parameters:
    ///   - result: an extended result code (https://sqlite.org/rescode.html).
    ///   - connection: where it failed, to ask for its words.
    ///   - sql: the statement, where there is one.
    init(sqlite result: Int32, on connection: OpaquePointer?, sql: String? = nil) {
        var text = connection.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) } ?? ""
        let code = Code(sqlite: result, text: text)
        if code == .unavailable, let connection {
            let reason = sqlite3_system_errno(connection)
            if reason != 0 { text += " (\(systemError(reason)))" }
        }
        self.init(code, "\(text) [\(result)]" + (sql.map { " in: \($0)" } ?? ""))
    }
}

extension DatabaseError.Code {
    fileprivate init(sqlite result: Int32, text: String) {
        switch result {
        case extended(SQLITE_CONSTRAINT, 8), extended(SQLITE_CONSTRAINT, 6), extended(SQLITE_CONSTRAINT, 10):
            // UNIQUE, PRIMARYKEY, ROWID: "UNIQUE constraint failed: images.id".
            self = .uniqueViolation(text.firstIndex(of: ":").map { String(text[$0...].dropFirst(2)) } ?? text)
            return
        case extended(SQLITE_CONSTRAINT, 3):
            self = .foreignKeyViolation
            return
        case extended(SQLITE_CONSTRAINT, 7) where text.hasPrefix("FOREIGN KEY"):
            // ON DELETE RESTRICT is a trigger inside.
            self = .foreignKeyViolation
            return
        default:
            break
        }
        switch result & 0xff {
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: self = .busy
        case SQLITE_INTERRUPT: self = .timedOut
        case SQLITE_READONLY: self = .readOnly
        case SQLITE_FULL: self = .full
        case SQLITE_CORRUPT, SQLITE_NOTADB: self = .corrupt
        case SQLITE_CANTOPEN, SQLITE_IOERR, SQLITE_PERM, SQLITE_AUTH: self = .unavailable
        default: self = .other
        }
    }
}

/// An extended result code, as sqlite3.h composes them with macros that Swift does not see.
private func extended(_ primary: Int32, _ number: Int32) -> Int32 { primary | number << 8 }
