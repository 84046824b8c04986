public import ImageModel
internal import RegistryContract
internal import WireJSON

/// Resource types, and which namespaces are about them.
public struct ResourceTypeTable {
    let connection: any SQLConnection

    public init(_ connection: any SQLConnection) { self.connection = connection }

    /// Every type there is, in the order in which they came.
    public func list() throws -> [ResourceType] {
        try connection.query(
            "SELECT name, protected, created_at, updated_at FROM metadef_resource_types ORDER BY id",
            []
        ) { row in
            ResourceType(
                name: row.text(0),
                protected: row.bool(1),
                createdAt: Timestamp(microseconds: row.integer(2)),
                updatedAt: Timestamp(microseconds: row.integer(3))
            )
        }
    }

    /// - Parameter name: Only the one with this resource type, if there is one.
    func associations(of id: Int64, only name: String? = nil) throws -> [ResourceTypeAssociation] {
        var condition = SQLCondition("a.namespace_id = ?", [.integer(id)])
        if let name { condition.add("t.name = ?", .text(name)) }
        return try connection.query(
            """
            SELECT t.name, a.prefix, a.properties_target, a.created_at, a.updated_at
            FROM metadef_associations a JOIN metadef_resource_types t ON t.id = a.resource_type_id
            WHERE \(condition.sql) ORDER BY a.id
            """,
            condition.values
        ) { row in
            ResourceTypeAssociation(
                name: row.text(0),
                prefix: row.optionalText(1),
                propertiesTarget: row.optionalText(2),
                createdAt: Timestamp(microseconds: row.integer(3)),
                updatedAt: Timestamp(microseconds: row.integer(4))
            )
        }
    }

    /// Makes the types of associations where they are not there yet, in one statement.
    ///
    /// - Parameter areCatalogue: Whether they come with a catalogue, and so are protected.
    func make(_ associations: [ResourceTypeAssociation], areCatalogue: Bool = false, at now: Timestamp) throws {
        guard !associations.isEmpty else { return }
        try connection.execute(
            """
            INSERT INTO metadef_resource_types (name, protected, created_at, updated_at)
            SELECT e.element ->> 'name', CAST(? AS INTEGER), CAST(? AS BIGINT), CAST(? AS BIGINT)
            FROM \(connection.dialect.jsonElements) e WHERE 1 = 1 ORDER BY e.position
            ON CONFLICT (name) DO NOTHING
            """,
            [
                SQLValue(areCatalogue), .integer(now.microseconds), .integer(now.microseconds),
                Self.elements(associations),
            ]
        )
    }

    private static func elements(_ associations: [ResourceTypeAssociation]) -> SQLValue {
        .text(JSONValue.array(associations.map(\.row)).text)
    }

    /// Associates a namespace with resource types, which come to be where they are not there yet, in two statements.
    ///
    /// - Throws: `duplicate` when there is an association with one of them already.
    func associate(
        _ associations: [ResourceTypeAssociation],
        with id: Int64,
        named namespace: String,
        at now: Timestamp
    ) throws {
        guard !associations.isEmpty else { return }
        try make(associations, at: now)
        let time = SQLValue.integer(now.microseconds)
        let inserted = try connection.query(
            """
            INSERT INTO metadef_associations (namespace_id, resource_type_id, prefix, properties_target, created_at,
                updated_at)
            SELECT CAST(? AS BIGINT), t.id, e.element ->> 'prefix', e.element ->> 'properties_target',
                CAST(? AS BIGINT), CAST(? AS BIGINT)
            FROM \(connection.dialect.jsonElements) e JOIN metadef_resource_types t ON t.name = e.element ->> 'name'
            WHERE 1 = 1 ORDER BY e.position
            ON CONFLICT (namespace_id, resource_type_id) DO NOTHING RETURNING id
            """,
            [.integer(id), time, time, Self.elements(associations)]
        ) { $0.integer(0) }
        guard inserted.count < associations.count else { return }
        let name = associations.count == 1 ? " with resource type '\(associations[0].name.excerpt)'" : ""
        throw RegistryError(
            .duplicate,
            "The metadata definition resource-type-association\(name) already exists in namespace '\(namespace.excerpt)'.",
            field: "name"
        )
    }

    func requireAssociation(with name: String, of id: Int64, named namespace: String) throws {
        guard try associations(of: id, only: name).isEmpty else { return }
        throw RegistryError(
            .notFound,
            MetadefContent.absence(of: "resource-type-association", name, from: namespace)
        )
    }

    /// Puts prefix and target in the place of those of the association with the same type.
    func replace(_ association: ResourceTypeAssociation, of id: Int64, at now: Timestamp) throws {
        try connection.execute(
            """
            UPDATE metadef_associations SET prefix = ?, properties_target = ?, updated_at = ? WHERE namespace_id = ?
                AND resource_type_id = (SELECT id FROM metadef_resource_types WHERE name = ?)
            """,
            [
                SQLValue(association.prefix), SQLValue(association.propertiesTarget), .integer(now.microseconds),
                .integer(id), .text(association.name),
            ]
        )
    }

    /// The resource type stays, also without any association.
    func dissociate(_ name: String, from id: Int64) throws {
        try connection.execute(
            """
            DELETE FROM metadef_associations WHERE namespace_id = ?
                AND resource_type_id = (SELECT id FROM metadef_resource_types WHERE name = ?)
            """,
            [.integer(id), .text(name)]
        )
    }
}

extension ResourceTypeAssociation {
    fileprivate var row: JSONValue {
        [
            "name": .string(name), "prefix": prefix.map { .string($0) } ?? .null,
            "properties_target": propertiesTarget.map { .string($0) } ?? .null,
        ]
    }
}
