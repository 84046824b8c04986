internal import ImageModel
internal import RegistryContract
internal import WireJSON

/// The objects of namespaces, each with its property definitions in its row.
struct MetadefObjectTable: MetadefPartTable {
    let connection: any SQLConnection
    static let table = "metadef_objects"
    static let noun = "object"

    init(_ connection: any SQLConnection) { self.connection = connection }

    /// - Parameter name: Only the one of this name, if there is one.
    func list(of id: Int64, only name: String? = nil) throws -> [MetadefObject] {
        var condition = SQLCondition("namespace_id = ?", [.integer(id)])
        if let name { condition.add("name = ?", .text(name)) }
        return try connection.query(
            """
            SELECT name, description, required, properties, created_at, updated_at FROM metadef_objects
            WHERE \(condition.sql) ORDER BY id
            """,
            condition.values
        ) { try Self.object($0, 0) }
    }

    /// From the columns name, description, required, properties and times, which begin at `first`.
    static func object(_ row: any SQLRow, _ first: Int) throws -> MetadefObject {
        let required = try JSONValue(parsing: row.text(first + 2).utf8).arrayValue ?? []
        let properties = try JSONValue(parsing: row.text(first + 3).utf8).objectValue?.members ?? []
        return MetadefObject(
            name: row.text(first),
            description: row.optionalText(first + 1),
            required: required.compactMap(\.stringValue),
            properties: properties.map { name, definition in
                MetadefProperty(name: name, definition: MetadefDefinition(definition.objectValue ?? [:]))
            },
            createdAt: Timestamp(microseconds: row.integer(first + 4)),
            updatedAt: Timestamp(microseconds: row.integer(first + 5))
        )
    }

    func add(_ objects: [MetadefObject], to id: Int64, named namespace: String, at now: Timestamp) throws {
        let rows: [JSONObject] = objects.map { object in
            [
                "name": .string(object.name),
                "description": object.description.map { .string($0) } ?? .null,
                "required": .string(object.requiredText), "properties": .string(object.propertiesText),
            ]
        }
        let columns = ["description", "required", "properties"]
        try insert(rows, columns: columns, to: id, named: namespace, at: now)
    }

    /// - Returns: The object with the times it had before, as the reference answers.
    func replace(
        _ name: String,
        with object: MetadefObject,
        in id: Int64,
        named namespace: String,
        at now: Timestamp
    ) throws -> MetadefObject {
        try requireRenaming(name, to: object.name, in: id, named: namespace)
        let before = try list(of: id, only: name).first
        try connection.execute(
            """
            UPDATE metadef_objects SET name = ?, description = ?, required = ?, properties = ?, updated_at = ?
            WHERE namespace_id = ? AND name = ?
            """,
            [
                .text(object.name), SQLValue(object.description), .text(object.requiredText),
                .text(object.propertiesText), .integer(now.microseconds), .integer(id), .text(name),
            ]
        )
        var replaced = object
        replaced.createdAt = before?.createdAt ?? now
        replaced.updatedAt = before?.updatedAt ?? now
        return replaced
    }
}

extension MetadefObject {
    fileprivate var requiredText: String { JSONValue.array(required.map { .string($0) }).text }

    fileprivate var propertiesText: String {
        var map: JSONObject = [:]
        for property in properties { map[property.name] = .object(property.definition.keywords) }
        return JSONValue.object(map).text
    }
}
