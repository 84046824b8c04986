internal import CSQLite

/// A connection to a database file as it is: opening it changes nothing of it, and creates none.
///
/// For copying whole databases; ``SQLiteConnection`` is for what is in them. It belongs to one thread.
final class SQLiteHandle {
    enum Use {
        /// Beside others who write it.
        case shared
        /// Nobody writes it any more, and nothing is written beside it, so that a read-only medium will do.
        case finished
    }

    let path: String
    private var handle: OpaquePointer?

    init(_ path: String, _ use: Use) throws(DatabaseError) {
        self.path = path
        SQLiteLibrary.isReady
        let result: Int32
        switch use {
        case .shared:
            let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
            result = sqlite3_open_v2(path, &handle, flags, nil)
        case .finished:
            let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
            result = sqlite3_open_v2("file:\(Self.escaped(path))?immutable=1", &handle, flags, nil)
        }
        guard result == SQLITE_OK else { throw failure(result) }
        sqlite3_busy_timeout(handle, 5_000)
        // A tampered file cannot call functions from its schema.
        try run("PRAGMA trusted_schema = OFF")
    }

    deinit { close() }

    func close() {
        sqlite3_close_v2(handle)
        handle = nil
    }

    /// For the path of a URI (https://sqlite.org/uri.html).
    private static func escaped(_ path: String) -> String {
        path.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%25")
            .split(separator: "?", omittingEmptySubsequences: false).joined(separator: "%3f")
            .split(separator: "#", omittingEmptySubsequences: false).joined(separator: "%23")
    }

    func run(_ sql: String) throws(DatabaseError) {
        let result = sqlite3_exec(handle, sql, nil, nil, nil)
        guard result == SQLITE_OK else { throw failure(result) }
    }

    /// The first column of an answer, as texts.
    func texts(_ sql: String) throws(DatabaseError) -> [String] {
        guard let handle else { throw DatabaseError.closed }
        let statement = try SQLiteStatement(sql, on: handle)
        var texts: [String] = []
        let row = SQLiteRow(handle: statement.handle)
        while try statement.step() { texts.append(row.text(0)) }
        return texts
    }

    func number(_ sql: String) throws(DatabaseError) -> Int64 {
        let text = try texts(sql).first ?? ""
        guard let number = Int64(text) else { throw DatabaseError(.corrupt, "\(path): no number answers \(sql)") }
        return number
    }

    /// Copies all pages to another, which then is the same database.
    ///
    /// - Parameter report: told of the pages copied so far and of all, several times a second.
    func copyPages(to target: SQLiteHandle, _ report: (_ done: Int64, _ all: Int64) -> Void) throws(DatabaseError) {
        guard let backup = sqlite3_backup_init(target.handle, "main", handle, "main") else {
            throw target.failure(sqlite3_extended_errcode(target.handle))
        }
        let deadline = MonotonicTime.now + .seconds(30)
        var result = SQLITE_OK
        while result == SQLITE_OK || (result & 0xff == SQLITE_BUSY && MonotonicTime.now < deadline) {
            result = sqlite3_backup_step(backup, 2_048)
            let all = Int64(sqlite3_backup_pagecount(backup))
            report(all - Int64(sqlite3_backup_remaining(backup)), all)
        }
        let end = sqlite3_backup_finish(backup)
        guard result == SQLITE_DONE, end == SQLITE_OK else {
            throw target.failure(result == SQLITE_DONE ? end : result)
        }
    }

    func failure(_ result: Int32) -> DatabaseError {
        var error = DatabaseError(sqlite: result, on: handle)
        error.message = "\(path): \(error.message)"
        return error
    }
}
