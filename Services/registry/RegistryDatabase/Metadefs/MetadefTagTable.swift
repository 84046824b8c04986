internal import ImageModel
internal import RegistryContract
internal import WireJSON

/// The tags of namespaces.
struct MetadefTagTable: MetadefPartTable {
    let connection: any SQLConnection
    static let table = "metadef_tags"
    static let noun = "tag"

    init(_ connection: any SQLConnection) { self.connection = connection }

    func list(of id: Int64, only name: String) throws -> [MetadefTag] {
        try select(SQLCondition("namespace_id = ? AND name = ?", [.integer(id), .text(name)]), "ORDER BY id")
    }

    /// One page; a marker costs one statement more.
    ///
    /// - Throws: `notFound` when there is no tag of the marker's name.
    func list(of id: Int64, _ query: MetadefTagQuery) throws -> [MetadefTag] {
        var condition = SQLCondition("namespace_id = ?", [.integer(id)])
        let isAscending = query.direction == .ascending
        let order = [query.sortKey.expression(connection.dialect), "id"]
        if let marker = query.marker {
            let row = try connection.first(
                "SELECT \(order[0]), id FROM metadef_tags WHERE namespace_id = ? AND name = ?",
                [.integer(id), .text(marker)]
            ) { row -> [SQLValue] in
                [query.sortKey == .name ? .text(row.text(0)) : .integer(row.integer(0)), .integer(row.integer(1))]
            }
            guard let row else {
                throw RegistryError(
                    .notFound,
                    "There is no tag '\(marker.excerpt)' after which the list could begin.",
                    field: "marker"
                )
            }
            condition.add("(\(order.joined(separator: ", "))) \(isAscending ? ">" : "<") (?, ?)", row)
        }
        let sorting = order.map { "\($0) \(isAscending ? "ASC" : "DESC")" }.joined(separator: ", ")
        guard let limit = query.limit else { return try select(condition, "ORDER BY \(sorting)") }
        return try select(condition, "ORDER BY \(sorting) LIMIT ?", [.integer(Int64(limit))])
    }

    private func select(_ condition: SQLCondition, _ end: String, _ values: [SQLValue] = []) throws -> [MetadefTag] {
        try connection.query(
            "SELECT name, created_at, updated_at FROM metadef_tags WHERE \(condition.sql) \(end)",
            condition.values + values
        ) { row in
            MetadefTag(
                name: row.text(0),
                createdAt: Timestamp(microseconds: row.integer(1)),
                updatedAt: Timestamp(microseconds: row.integer(2))
            )
        }
    }

    func add(_ names: [String], to id: Int64, named namespace: String, at now: Timestamp) throws {
        try insert(names.map { ["name": .string($0)] }, columns: [], to: id, named: namespace, at: now)
    }

    func rename(_ name: String, to newName: String, in id: Int64, named namespace: String, at now: Timestamp) throws {
        try requireRenaming(name, to: newName, in: id, named: namespace)
        try connection.execute(
            "UPDATE metadef_tags SET name = ?, updated_at = ? WHERE namespace_id = ? AND name = ?",
            [.text(newName), .integer(now.microseconds), .integer(id), .text(name)]
        )
    }
}

extension MetadefTagQuery.SortKey {
    fileprivate func expression(_ dialect: SQLDialect) -> String {
        self == .name ? "name \(dialect.byteOrder)" : rawValue
    }
}
