public import ImageModel
internal import RegistryContract
internal import WireJSON

extension MetadefTable {
    /// One page in one statement, and two more for a marker; each namespace has its associations and no other content.
    ///
    /// - Throws: `notFound` when the marker is no namespace that the caller may see.
    public func list(_ query: MetadefNamespaceQuery, visibleTo caller: Caller) throws -> [MetadefRecord] {
        let marker = try query.marker.map { try markerRow($0, query.sortKey, caller) }
        guard query.limit > 0, query.resourceTypes != [] else { return [] }
        let dialect = connection.dialect
        var condition = Self.listed(for: caller)
        if let visibility = query.visibility { condition.add("n.visibility = ?", .text(visibility.rawValue)) }
        if let types = query.resourceTypes { condition.addAssociation(withAnyOf: types) }
        let isAscending = query.direction == .ascending
        let order = [query.sortKey.expression(dialect), "n.created_at", "n.id"]
        if let marker {
            condition.add("(\(order.joined(separator: ", "))) \(isAscending ? ">" : "<") (?, ?, ?)", marker)
        }
        let sorting = order.map { "\($0) \(isAscending ? "ASC" : "DESC")" }.joined(separator: ", ")
        return try connection.query(
            """
            SELECT \(Self.columns), \(Self.associations(dialect)) FROM metadef_namespaces n
            WHERE \(condition.sql) ORDER BY \(sorting) LIMIT ?
            """,
            condition.values + [.integer(Int64(query.limit))]
        ) { row in
            let associations = try row.optionalText(10).map { try JSONValue(parsing: $0.utf8) }?.arrayValue ?? []
            return MetadefRecord(
                namespace: try Self.stored(from: row).namespace,
                content: MetadefContent(
                    associations: try associations.map { try ResourceTypeAssociation(json: $0) }
                )
            )
        }
    }

    /// A list is narrower than what a name opens: the caller's own and the public ones.
    static func listed(for caller: Caller) -> SQLCondition {
        if caller.isAdmin { return SQLCondition("1 = 1") }
        guard let project = caller.project else { return SQLCondition("n.visibility = 'public'") }
        return SQLCondition("(n.visibility = 'public' OR n.owner = ?)", [.text(project)])
    }

    /// The associations of `n` as one JSON array, in the form in which they cross the wire.
    private static func associations(_ dialect: SQLDialect) -> String {
        let fields = ["name", "prefix", "properties_target", "created_at", "updated_at"]
        let members = fields.map { "'\($0)', x.\($0)" }.joined(separator: ", ")
        return """
            (SELECT \(dialect.jsonArrayAggregate)(\(dialect.jsonObject)(\(members))) FROM
                (SELECT t.name, a.prefix, a.properties_target, a.created_at, a.updated_at
                FROM metadef_associations a JOIN metadef_resource_types t ON t.id = a.resource_type_id
                WHERE a.namespace_id = n.id ORDER BY a.id) x)
            """
    }

    private func markerRow(_ name: String, _ key: MetadefNamespaceQuery.SortKey, _ caller: Caller) throws -> [SQLValue]
    {
        let id = try stored(name, visibleTo: caller).id
        let row = try connection.first(
            "SELECT \(key.expression(connection.dialect)), n.created_at, n.id FROM metadef_namespaces n WHERE n.id = ?",
            [.integer(id)]
        ) { row -> [SQLValue] in
            [key.isNumeric ? .integer(row.integer(0)) : .text(row.text(0)), .integer(row.integer(1)), .integer(id)]
        }
        return row ?? []
    }
}

extension MetadefNamespaceQuery.SortKey {
    fileprivate var isNumeric: Bool {
        switch self {
        case .id, .protected, .createdAt, .updatedAt: true
        case .namespace, .displayName, .description, .visibility, .owner: false
        }
    }

    /// Nulls sort as the empty text, so that a page can begin after them.
    fileprivate func expression(_ dialect: SQLDialect) -> String {
        switch self {
        case .id, .protected, .createdAt, .updatedAt: "n.\(rawValue)"
        case .namespace, .visibility: "n.\(rawValue) \(dialect.byteOrder)"
        case .displayName, .description, .owner: "COALESCE(n.\(rawValue), '') \(dialect.byteOrder)"
        }
    }
}

extension SQLCondition {
    fileprivate mutating func addAssociation(withAnyOf types: [String]) {
        // Rounded up to a power of two with repetitions, so that few different statements arise.
        var padded = types
        while padded.count & (padded.count - 1) != 0 { padded.append(types[0]) }
        let places = repeatElement("?", count: padded.count).joined(separator: ", ")
        add(
            """
            EXISTS (SELECT 1 FROM metadef_associations a JOIN metadef_resource_types t ON t.id = a.resource_type_id
                WHERE a.namespace_id = n.id AND t.name IN (\(places)))
            """,
            padded.map(SQLValue.text)
        )
    }
}
