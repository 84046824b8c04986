internal import ImageModel
internal import RegistryContract
internal import WireJSON

/// The property definitions of namespaces.
struct MetadefPropertyTable: MetadefPartTable {
    let connection: any SQLConnection
    static let table = "metadef_properties"
    static let noun = "property"

    init(_ connection: any SQLConnection) { self.connection = connection }

    /// - Parameter name: Only the one of this name, if there is one.
    func list(of id: Int64, only name: String? = nil) throws -> [MetadefProperty] {
        var condition = SQLCondition("namespace_id = ?", [.integer(id)])
        if let name { condition.add("name = ?", .text(name)) }
        return try connection.query(
            "SELECT name, definition FROM metadef_properties WHERE \(condition.sql) ORDER BY id",
            condition.values
        ) { try Self.property($0, 0) }
    }

    /// From the columns name and definition, which begin at `first`.
    static func property(_ row: any SQLRow, _ first: Int) throws -> MetadefProperty {
        guard case .object(let keywords) = try JSONValue(parsing: row.text(first + 1).utf8) else {
            throw DatabaseError(.corrupt, "a property's definition is no JSON object")
        }
        return MetadefProperty(name: row.text(first), definition: MetadefDefinition(keywords))
    }

    func add(_ properties: [MetadefProperty], to id: Int64, named namespace: String, at now: Timestamp) throws {
        let rows: [JSONObject] = properties.map { ["name": .string($0.name), "definition": .string($0.text)] }
        try insert(rows, columns: ["definition"], to: id, named: namespace, at: now)
    }

    func replace(
        _ name: String,
        with property: MetadefProperty,
        in id: Int64,
        named namespace: String,
        at now: Timestamp
    ) throws {
        try requireRenaming(name, to: property.name, in: id, named: namespace)
        try connection.execute(
            "UPDATE metadef_properties SET name = ?, definition = ?, updated_at = ? WHERE namespace_id = ? AND name = ?",
            [.text(property.name), .text(property.text), .integer(now.microseconds), .integer(id), .text(name)]
        )
    }
}

extension MetadefProperty {
    fileprivate var text: String { JSONValue.object(definition.keywords).text }
}
