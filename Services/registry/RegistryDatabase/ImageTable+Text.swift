public import ImageModel
internal import RegistryContract
public import WireJSON

/// Images straight from their rows into the text that crosses the wire, the same that `Image` writes. What is read most
/// is read this way: a record in between, and a tree of its properties, would cost as much as the statement.
extension ImageTable {
    /// As ``image(_:visibleTo:)``.
    public func write(_ id: ImageID, visibleTo caller: Caller, to writer: inout JSONWriter) throws {
        try read(id, visibleTo: caller) { try Self.write($0, to: &writer) }
    }

    /// The elements of an array, as ``list(_:visibleTo:)`` has them.
    public func write(_ query: ImageListQuery, visibleTo caller: Caller, to writer: inout JSONWriter) throws {
        _ = try list(query, visibleTo: caller) { try Self.write($0, to: &writer) }
    }

    private static func write(_ row: any SQLRow, to writer: inout JSONWriter) throws {
        try writer.object { writer in
            writer.field("id", utf8: row.utf8(0))
            writer.field("name", utf8: row.utf8(1))
            writer.field("status", utf8: row.utf8(2))
            writer.field("visibility", utf8: row.utf8(3))
            writer.field("protected", row.bool(4))
            writer.field("os_hidden", row.bool(5))
            writer.field("owner", utf8: row.utf8(6))
            writer.field("container_format", utf8: row.utf8(7))
            writer.field("disk_format", utf8: row.utf8(8))
            writer.field("min_disk", row.integer(9))
            writer.field("min_ram", row.integer(10))
            writer.field("size", row.optionalInteger(11))
            writer.field("virtual_size", row.optionalInteger(12))
            writer.field("checksum", utf8: row.utf8(13))
            writer.field("os_hash_algo", utf8: row.utf8(14))
            writer.field("os_hash_value", utf8: row.utf8(15))
            writer.field("created_at", row.integer(16))
            writer.field("updated_at", row.integer(17))
            // JSON of the database's own making; an aggregate of nothing is NULL in PostgreSQL.
            writer.field("tags", json: row.utf8(20), otherwise: "[]")
            writer.field("properties", json: row.utf8(19), otherwise: "{}")
            let (locations, damaged) = try Self.locations(from: row)
            writer.field("locations", array: locations) { $1.write(to: &$0) }
            if !damaged.isEmpty { writer.field("damaged", strings: damaged.sorted()) }
            writer.field("revision", row.integer(18))
        }
    }
}
