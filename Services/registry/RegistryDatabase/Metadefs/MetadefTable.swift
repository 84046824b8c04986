public import ImageModel
public import RegistryContract
internal import WireJSON

/// The catalogue of metadata definitions: namespaces, and through them what they hold. How many statements an operation
/// takes depends on what is asked for, and not on how much of it there is.
public struct MetadefTable {
    let connection: any SQLConnection

    public init(_ connection: any SQLConnection) { self.connection = connection }

    /// A namespace as it is stored.
    struct Stored {
        var id: Int64
        var namespace: MetadefNamespace
    }

    // MARK: Reading

    /// `n` is the namespace.
    static let columns = """
        n.id, n.namespace, n.display_name, n.description, n.visibility, n.protected, n.owner, n.created_at, n.updated_at,
        n.revision
        """

    static func stored(from row: any SQLRow) throws -> Stored {
        guard let visibility = MetadefNamespace.Visibility(rawValue: row.text(4)) else {
            throw DatabaseError(.corrupt, "a namespace row holds a word that is none of ours")
        }
        return Stored(
            id: row.integer(0),
            namespace: MetadefNamespace(
                name: row.text(1),
                displayName: row.optionalText(2),
                description: row.optionalText(3),
                visibility: visibility,
                protected: row.bool(5),
                owner: row.optionalText(6),
                createdAt: Timestamp(microseconds: row.integer(7)),
                updatedAt: Timestamp(microseconds: row.integer(8)),
                revision: row.integer(9)
            )
        )
    }

    /// Which namespaces a caller may see by their names: all for administrators, otherwise public ones, those of the
    /// caller's project, and those of nobody.
    private static func visible(to caller: Caller) -> SQLCondition {
        if caller.isAdmin { return SQLCondition("1 = 1") }
        guard let project = caller.project else {
            return SQLCondition("(n.visibility = 'public' OR n.owner IS NULL)")
        }
        return SQLCondition("(n.visibility = 'public' OR n.owner IS NULL OR n.owner = ?)", [.text(project)])
    }

    func stored(_ name: String, visibleTo caller: Caller, suffix: String = "") throws -> Stored {
        var condition = SQLCondition("n.namespace = ?", [.text(name)])
        let visible = Self.visible(to: caller)
        condition.add(visible.sql, visible.values)
        let found = try connection.first(
            "SELECT \(Self.columns) FROM metadef_namespaces n WHERE \(condition.sql)\(suffix)",
            condition.values,
            Self.stored(from:)
        )
        guard let found else { throw RegistryError(.notFound, MetadefNamespace.absence(of: name)) }
        return found
    }

    /// - Throws: `notFound` for the namespace, and for a marker (whose field is then `marker`).
    public func show(_ name: String, _ part: MetadefPart, visibleTo caller: Caller) throws -> MetadefRecord {
        let stored = try stored(name, visibleTo: caller)
        return MetadefRecord(namespace: stored.namespace, content: try content(part, of: stored))
    }

    private func content(_ part: MetadefPart, of stored: Stored) throws -> MetadefContent {
        let id = stored.id
        switch part {
        case .nothing: return MetadefContent()
        case .everything:
            return MetadefContent(
                associations: try ResourceTypeTable(connection).associations(of: id),
                properties: try MetadefPropertyTable(connection).list(of: id),
                objects: try MetadefObjectTable(connection).list(of: id),
                tags: try MetadefTagTable(connection).list(of: id, MetadefTagQuery(sortKey: .id, direction: .ascending))
            )
        case .associations: return MetadefContent(associations: try ResourceTypeTable(connection).associations(of: id))
        case .properties: return MetadefContent(properties: try MetadefPropertyTable(connection).list(of: id))
        case .property(let name, nil):
            return MetadefContent(properties: try MetadefPropertyTable(connection).list(of: id, only: name))
        case .property(let name, let resourceType?):
            let association = try ResourceTypeTable(connection).associations(of: id, only: resourceType).first
            guard let association else { return MetadefContent() }
            guard let unprefixed = association.unprefixed(name) else {
                return MetadefContent(associations: [association])
            }
            return MetadefContent(
                associations: [association],
                properties: try MetadefPropertyTable(connection).list(of: id, only: unprefixed)
            )
        case .objects: return MetadefContent(objects: try MetadefObjectTable(connection).list(of: id))
        case .object(let name):
            return MetadefContent(objects: try MetadefObjectTable(connection).list(of: id, only: name))
        case .tags(let query): return MetadefContent(tags: try MetadefTagTable(connection).list(of: id, query))
        case .tag(let name): return MetadefContent(tags: try MetadefTagTable(connection).list(of: id, only: name))
        }
    }

    // MARK: Writing

    /// A namespace with its content, all of it or nothing.
    public func create(_ record: MetadefRecord, at now: Timestamp) throws -> MetadefRecord {
        var record = record
        record.namespace.createdAt = now
        record.namespace.updatedAt = now
        record.namespace.revision = 1
        guard let id = try insert(record.namespace) else { throw Self.duplicate(record.namespace.name) }
        let name = record.namespace.name
        try ResourceTypeTable(connection).associate(record.content.associations, with: id, named: name, at: now)
        try MetadefObjectTable(connection).add(record.content.objects, to: id, named: name, at: now)
        try MetadefTagTable(connection).add(record.content.tags.map(\.name), to: id, named: name, at: now)
        try MetadefPropertyTable(connection).add(record.content.properties, to: id, named: name, at: now)
        return record.stamped(now)
    }

    /// - Returns: the row's number, or `nil` when the name is taken.
    func insert(_ namespace: MetadefNamespace) throws -> Int64? {
        try connection.query(
            """
            INSERT INTO metadef_namespaces (namespace, display_name, description, visibility, protected, owner, created_at,
                updated_at, revision)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (namespace) DO NOTHING RETURNING id
            """,
            [.text(namespace.name)] + Self.values(of: namespace) + [
                .integer(namespace.createdAt.microseconds), .integer(namespace.updatedAt.microseconds),
                .integer(namespace.revision),
            ]
        ) { $0.integer(0) }.first
    }

    private static func values(of namespace: MetadefNamespace) -> [SQLValue] {
        [
            SQLValue(namespace.displayName), SQLValue(namespace.description), .text(namespace.visibility.rawValue),
            SQLValue(namespace.protected), SQLValue(namespace.owner),
        ]
    }

    /// - Throws: `notFound`, `changedMeanwhile`, `duplicate`.
    public func update(_ change: UpdateMetadefs, as caller: Caller, at now: Timestamp) throws -> MetadefRecord {
        let stored = try decidedOn(change.current, change.namespace.revision, caller)
        var namespace = change.namespace
        namespace.createdAt = stored.namespace.createdAt
        namespace.updatedAt = now
        namespace.revision = stored.namespace.revision + 1
        try write(namespace, to: stored.id)
        return MetadefRecord(namespace: namespace)
    }

    func write(_ namespace: MetadefNamespace, to id: Int64) throws {
        do {
            try connection.execute(
                """
                UPDATE metadef_namespaces SET namespace = ?, display_name = ?, description = ?, visibility = ?,
                    protected = ?, owner = ?, updated_at = ?, revision = ?
                WHERE id = ?
                """,
                [.text(namespace.name)] + Self.values(of: namespace) + [
                    .integer(namespace.updatedAt.microseconds), .integer(namespace.revision), .integer(id),
                ]
            )
        } catch let error as DatabaseError {
            guard case .uniqueViolation = error.code else { throw error }
            throw Self.duplicate(namespace.name)
        }
    }

    /// - Throws: `notFound`, `changedMeanwhile`, `forbidden`.
    public func delete(_ removal: DeleteMetadefs, as caller: Caller) throws {
        let stored = try decidedOn(removal.namespace, removal.revision, caller)
        try requireUnprotected(stored, "namespace \(stored.namespace.name.excerpt)")
        try remove(stored.id)
    }

    /// A namespace and all it holds.
    func remove(_ id: Int64) throws {
        for table in ["metadef_tags", "metadef_objects", "metadef_properties", "metadef_associations"] {
            try connection.execute("DELETE FROM \(table) WHERE namespace_id = ?", [.integer(id)])
        }
        try connection.execute("DELETE FROM metadef_namespaces WHERE id = ?", [.integer(id)])
    }

    // MARK: Checks

    /// The namespace on which the API decided, kept as it is until the transaction ends.
    func decidedOn(_ name: String, _ revision: Int64, _ caller: Caller) throws -> Stored {
        let stored = try stored(name, visibleTo: caller, suffix: connection.dialect.forUpdate)
        guard stored.namespace.revision == revision else {
            throw RegistryError(.changedMeanwhile, "The namespace was changed by somebody else in the meantime")
        }
        return stored
    }

    func requireUnprotected(_ stored: Stored, _ what: String) throws {
        guard !stored.namespace.protected else {
            throw RegistryError(.forbidden, "Metadata definition \(what) is protected and cannot be deleted.")
        }
    }

    private static func duplicate(_ name: String) -> RegistryError {
        RegistryError(
            .duplicate,
            "The metadata definition namespace '\(name.excerpt)' already exists.",
            field: "namespace"
        )
    }
}

extension MetadefRecord {
    /// With the times of its creation everywhere.
    fileprivate func stamped(_ now: Timestamp) -> MetadefRecord {
        var record = self
        for index in content.associations.indices {
            record.content.associations[index].createdAt = now
            record.content.associations[index].updatedAt = now
        }
        for index in content.objects.indices {
            record.content.objects[index].createdAt = now
            record.content.objects[index].updatedAt = now
        }
        for index in content.tags.indices {
            record.content.tags[index].createdAt = now
            record.content.tags[index].updatedAt = now
        }
        return record
    }
}
