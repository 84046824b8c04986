public import ImageModel
internal import RegistryContract
internal import WireJSON

extension MetadefTable {
    /// What the listed namespaces say of properties of resources of one type, in three statements.
    ///
    /// - Parameter names: As they are on such resources, prefixes included.
    /// - Returns: Namespaces that say something, each with the association and the properties concerned, oldest first.
    public func definitions(
        of names: [String],
        on resourceType: String,
        visibleTo caller: Caller
    ) throws -> [MetadefRecord] {
        let wanted = Set(names.map { Array($0.utf8) })
        guard !wanted.isEmpty else { return [] }
        let listed = Self.listed(for: caller)
        let source = """
            metadef_namespaces n JOIN metadef_associations a ON a.namespace_id = n.id
                JOIN metadef_resource_types t ON t.id = a.resource_type_id
            """
        var condition = SQLCondition("t.name = ?", [.text(resourceType)])
        condition.add(listed.sql, listed.values)
        let namespaces = try connection.query(
            """
            SELECT \(Self.columns), a.prefix, a.properties_target, a.created_at, a.updated_at FROM \(source)
            WHERE \(condition.sql) ORDER BY n.id
            """,
            condition.values
        ) { row in
            let association = ResourceTypeAssociation(
                name: resourceType,
                prefix: row.optionalText(10),
                propertiesTarget: row.optionalText(11),
                createdAt: Timestamp(microseconds: row.integer(12)),
                updatedAt: Timestamp(microseconds: row.integer(13))
            )
            return (stored: try Self.stored(from: row), association: association)
        }
        guard !namespaces.isEmpty else { return [] }

        let elements = SQLValue.text(JSONValue.array(names.map { ["name": .string($0)] }).text)
        let properties = try connection.query(
            """
            SELECT n.id, p.name, p.definition FROM \(source) JOIN metadef_properties p ON p.namespace_id = n.id
            WHERE \(condition.sql) AND COALESCE(a.prefix, '') || p.name IN
                (SELECT e.element ->> 'name' FROM \(connection.dialect.jsonElements) e)
            ORDER BY p.id
            """,
            condition.values + [elements]
        ) { row in (namespace: row.integer(0), property: try MetadefPropertyTable.property(row, 1)) }
        let objects = try connection.query(
            """
            SELECT n.id, o.name, o.description, o.required, o.properties, o.created_at, o.updated_at FROM \(source)
                JOIN metadef_objects o ON o.namespace_id = n.id
            WHERE \(condition.sql) ORDER BY o.id
            """,
            condition.values
        ) { row in (namespace: row.integer(0), object: try MetadefObjectTable.object(row, 1)) }

        let propertiesByNamespace = Dictionary(grouping: properties, by: \.namespace)
        let objectsByNamespace = Dictionary(grouping: objects, by: \.namespace)
        return namespaces.compactMap { stored, association in
            let prefix = association.prefix ?? ""
            let objects = (objectsByNamespace[stored.id] ?? []).compactMap { _, object -> MetadefObject? in
                var object = object
                object.properties.removeAll { !wanted.contains(Array((prefix + $0.name).utf8)) }
                return object.properties.isEmpty ? nil : object
            }
            let properties = (propertiesByNamespace[stored.id] ?? []).map(\.property)
            guard !properties.isEmpty || !objects.isEmpty else { return nil }
            return MetadefRecord(
                namespace: stored.namespace,
                content: MetadefContent(associations: [association], properties: properties, objects: objects)
            )
        }
    }
}
