/// Pages and indexes have one order everywhere, whatever language the database was made for.
enum ByteOrder {
    private struct Column: Hashable {
        var table: String
        var name: String
    }

    /// Sees to it that the texts that `body` adds are compared byte by byte. No table is written anew for that.
    static func keep(on connection: any SQLConnection, _ body: () throws -> Void) throws {
        let before = try localizedTexts(on: connection)
        try body()
        let added = try localizedTexts(on: connection).subtracting(before)
        for (table, columns) in Dictionary(grouping: added, by: \.table).sorted(by: { $0.key < $1.key }) {
            let changes = columns.map { "ALTER COLUMN \"\($0.name)\" TYPE TEXT \(connection.dialect.byteOrder)" }
            try connection.script("ALTER TABLE \"\(table)\" \(changes.sorted().joined(separator: ", "))")
        }
    }

    private static func localizedTexts(on connection: any SQLConnection) throws -> Set<Column> {
        guard let sql = connection.dialect.localizedTexts else { return [] }
        return Set(try connection.query(sql, []) { Column(table: $0.text(0), name: $0.text(1)) })
    }
}
