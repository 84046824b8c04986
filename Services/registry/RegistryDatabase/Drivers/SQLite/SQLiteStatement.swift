internal import CSQLite

/// A prepared statement. It belongs to one connection and its thread.
final class SQLiteStatement {
    let sql: String
    let handle: OpaquePointer
    /// Whether a caller is stepping through it; the same text inside a row callback needs a second statement then.
    var isInUse = false
    /// The cache's count of uses when this was used last.
    var lastUse: UInt64 = 0

    init(_ sql: String, on connection: OpaquePointer) throws(DatabaseError) {
        var text = sql
        var prepared: OpaquePointer?
        let (result, isOne) = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { bytes in
                var rest: UnsafePointer<CChar>?
                let length = Int32(bytes.count)
                let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
                let result = sqlite3_prepare_v3(connection, bytes.baseAddress, length, flags, &prepared, &rest)
                guard let start = bytes.baseAddress, let rest else { return (result, true) }
                let isOne = bytes[(rest - start)...].allSatisfy { " \n\t;".utf8.contains(UInt8(bitPattern: $0)) }
                return (result, isOne)
            }
        }
        guard result == SQLITE_OK else { throw DatabaseError(sqlite: result, on: connection, sql: sql) }
        guard let prepared, isOne else {
            sqlite3_finalize(prepared)
            throw DatabaseError(.other, "not exactly one statement: \(sql)")
        }
        self.sql = sql
        handle = prepared
    }

    deinit { sqlite3_finalize(handle) }

    func bind(_ values: [SQLValue]) throws(DatabaseError) {
        let expected = Int(sqlite3_bind_parameter_count(handle))
        guard values.count == expected else {
            throw DatabaseError(.other, "\(values.count) values for \(expected) placeholders in: \(sql)")
        }
        for (offset, value) in values.enumerated() {
            let result = bind(value, at: Int32(offset + 1))
            guard result == SQLITE_OK else { throw failure(result) }
        }
    }

    private func bind(_ value: SQLValue, at position: Int32) -> Int32 {
        switch value {
        case .null:
            return sqlite3_bind_null(handle, position)
        case .integer(let integer):
            return sqlite3_bind_int64(handle, position, integer)
        case .text(var text):
            return text.withUTF8 { bytes in
                // A null pointer would bind NULL, and an empty buffer may have one.
                guard let start = bytes.baseAddress else { return sqlite3_bind_text(handle, position, "", 0, copied) }
                return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                    sqlite3_bind_text64(handle, position, $0, UInt64(bytes.count), copied, UInt8(SQLITE_UTF8))
                }
            }
        case .blob(let bytes):
            guard !bytes.isEmpty else { return sqlite3_bind_zeroblob(handle, position, 0) }
            return sqlite3_bind_blob64(handle, position, bytes, UInt64(bytes.count), copied)
        }
    }

    /// Whether there is a further row, which `SQLiteRow(handle)` then shows.
    func step() throws(DatabaseError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let result: throw failure(result)
        }
    }

    /// Ends its use: gives up locks, memory and values.
    func reset() {
        // The result repeats the last step's, which has been reported.
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    private func failure(_ result: Int32) -> DatabaseError {
        DatabaseError(sqlite: result, on: sqlite3_db_handle(handle), sql: sql)
    }
}

/// SQLITE_TRANSIENT: SQLite copies the bytes before the call returns.
private var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
