internal import CSQLite

/// The row that a statement stands at.
struct SQLiteRow: SQLRow {
    let handle: OpaquePointer

    func integer(_ column: Int) -> Int64 { sqlite3_column_int64(handle, index(column)) }

    func optionalInteger(_ column: Int) -> Int64? { isNull(column) ? nil : integer(column) }

    func text(_ column: Int) -> String { optionalText(column) ?? "" }

    func optionalText(_ column: Int) -> String? { utf8(column).map { String(decoding: $0, as: UTF8.self) } }

    func utf8(_ column: Int) -> UnsafeBufferPointer<UInt8>? {
        // First the text, which there is none of for NULL; then its length: the order that sqlite3.h asks for.
        guard let start = sqlite3_column_text(handle, index(column)) else { return nil }
        return UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, Int32(column))))
    }

    func bool(_ column: Int) -> Bool { integer(column) != 0 }

    func blob(_ column: Int) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, index(column)) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, Int32(column)))))
    }

    private func isNull(_ column: Int) -> Bool { sqlite3_column_type(handle, index(column)) == SQLITE_NULL }

    /// SQLite answers NULL for a column that is not there; that is a mistake to find at once.
    private func index(_ column: Int) -> Int32 {
        precondition(column >= 0 && column < Int(sqlite3_column_count(handle)), "no column \(column)")
        return Int32(column)
    }
}
