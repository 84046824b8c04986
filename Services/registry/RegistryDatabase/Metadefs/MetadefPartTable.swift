internal import ImageModel
internal import RegistryContract
internal import WireJSON

/// What the tables of properties, objects and tags have in common: rows under names that are unique in a namespace.
protocol MetadefPartTable {
    var connection: any SQLConnection { get }
    /// The table's name.
    static var table: String { get }
    /// What one row is called in sentences.
    static var noun: String { get }
}

extension MetadefPartTable {
    /// Inserts rows in one statement, in their order.
    ///
    /// - Parameters:
    ///   - rows: The texts of `columns` and `name`, by column.
    /// - Throws: `duplicate` naming the first that is there already, or twice among `rows`.
    func insert(
        _ rows: [JSONObject],
        columns: [String],
        to id: Int64,
        named namespace: String,
        at now: Timestamp
    ) throws {
        guard !rows.isEmpty else { return }
        let names = rows.map { $0["name"]?.stringValue ?? "" }
        let columns = ["name"] + columns
        let values = columns.map { "e.element ->> '\($0)'" }.joined(separator: ", ")
        let elements = SQLValue.text(JSONValue.array(rows.map { .object($0) }).text)
        let inserted = try connection.query(
            """
            INSERT INTO \(Self.table) (namespace_id, created_at, updated_at, \(columns.joined(separator: ", ")))
            SELECT CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), \(values)
            FROM \(connection.dialect.jsonElements) e WHERE 1 = 1 ORDER BY e.position
            ON CONFLICT (namespace_id, name) DO NOTHING RETURNING name
            """,
            [.integer(id), .integer(now.microseconds), .integer(now.microseconds), elements]
        ) { Array($0.text(0).utf8) }
        guard inserted.count < names.count else { return }
        var open = Set(inserted)
        let refused = names.first { open.remove(Array($0.utf8)) == nil } ?? ""
        throw duplicate(refused, named: namespace)
    }

    /// - Throws: `notFound`, `duplicate`.
    func requireExistence(of name: String, in id: Int64, named namespace: String) throws {
        guard try has(name, in: id) else {
            throw RegistryError(.notFound, MetadefContent.absence(of: Self.noun, name, from: namespace))
        }
    }

    /// That `name` is there, and that `newName`, if it is another, is not: the namespace is locked, so it stays so.
    func requireRenaming(_ name: String, to newName: String, in id: Int64, named namespace: String) throws {
        try requireExistence(of: name, in: id, named: namespace)
        if !name.utf8.elementsEqual(newName.utf8), try has(newName, in: id) {
            throw duplicate(newName, named: namespace)
        }
    }

    private func has(_ name: String, in id: Int64) throws -> Bool {
        try connection.first(
            "SELECT 1 FROM \(Self.table) WHERE namespace_id = ? AND name = ?",
            [.integer(id), .text(name)]
        ) { _ in true } ?? false
    }

    func remove(_ name: String, from id: Int64) throws {
        try connection.execute(
            "DELETE FROM \(Self.table) WHERE namespace_id = ? AND name = ?",
            [.integer(id), .text(name)]
        )
    }

    func removeAll(of id: Int64) throws {
        try connection.execute("DELETE FROM \(Self.table) WHERE namespace_id = ?", [.integer(id)])
    }

    private func duplicate(_ name: String, named namespace: String) -> RegistryError {
        RegistryError(
            .duplicate,
            "A metadata definition \(Self.noun) with name '\(name.excerpt)' already exists in namespace "
                + "'\(namespace.excerpt)'.",
            field: "name"
        )
    }
}
