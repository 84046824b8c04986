internal import CPostgreSQL

/// The answer to one message, complete in memory. It belongs to the thread that received it.
final class PostgreSQLResult {
    private let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { PQclear(handle) }

    var status: ExecStatusType { PQresultStatus(handle) }
    var rowCount: Int { Int(PQntuples(handle)) }

    /// The rows that the statement inserted, updated or deleted; 0 for one of another kind.
    var changedRows: Int {
        guard let tag = PQcmdStatus(handle), let count = PQcmdTuples(handle) else { return 0 }
        let changes = ["INSERT", "UPDATE", "DELETE", "MERGE"].contains { String(cString: tag).hasPrefix($0) }
        return changes ? Int(String(cString: count)) ?? 0 : 0
    }

    /// The command that was done, such as `COMMIT`.
    var command: String { PQcmdStatus(handle).map { String(cString: $0) } ?? "" }

    /// A field of an error report; the letters are the protocol's (`PG_DIAG_…`).
    enum Field: Character {
        case sqlState = "C"
        case message = "M"
        case constraint = "n"
    }

    func field(_ field: Field) -> String? {
        let letter = field.rawValue.asciiValue ?? 0
        return PQresultErrorField(handle, Int32(letter)).map { String(cString: $0) }
    }

    func row(_ number: Int) -> PostgreSQLRow { PostgreSQLRow(handle: handle, number: Int32(number)) }
}

/// One row of an answer in text form.
struct PostgreSQLRow: SQLRow {
    let handle: OpaquePointer
    let number: Int32

    func integer(_ column: Int) -> Int64 { optionalInteger(column) ?? 0 }

    /// A truth value of PostgreSQL's own counts as 1 or 0.
    func optionalInteger(_ column: Int) -> Int64? {
        guard let bytes = utf8(column) else { return nil }
        if let number = Int64(String(decoding: bytes, as: UTF8.self)) { return number }
        return bytes.first == UInt8(ascii: "t") ? 1 : 0
    }

    func text(_ column: Int) -> String { optionalText(column) ?? "" }

    func optionalText(_ column: Int) -> String? { utf8(column).map { String(decoding: $0, as: UTF8.self) } }

    func bool(_ column: Int) -> Bool { integer(column) != 0 }

    /// BYTEA arrives as `\x` and hexadecimal digits; the session's `bytea_output` says so.
    func blob(_ column: Int) -> [UInt8] {
        guard let bytes = utf8(column) else { return [] }
        guard bytes.starts(with: "\\x".utf8) else { return Array(bytes) }
        var blob: [UInt8] = []
        blob.reserveCapacity(bytes.count / 2 - 1)
        for position in stride(from: 2, to: bytes.count - 1, by: 2) {
            blob.append(Self.digit(bytes[position]) << 4 | Self.digit(bytes[position + 1]))
        }
        return blob
    }

    private static func digit(_ byte: UInt8) -> UInt8 {
        byte <= UInt8(ascii: "9") ? byte - UInt8(ascii: "0") : byte - UInt8(ascii: "a") + 10
    }

    func utf8(_ column: Int) -> UnsafeBufferPointer<UInt8>? {
        precondition(column >= 0 && column < Int(PQnfields(handle)), "no column \(column)")
        guard PQgetisnull(handle, number, Int32(column)) == 0,
            let start = PQgetvalue(handle, number, Int32(column))
        else { return nil }
        let count = Int(PQgetlength(handle, number, Int32(column)))
        return UnsafeBufferPointer(start: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), count: count)
    }
}
