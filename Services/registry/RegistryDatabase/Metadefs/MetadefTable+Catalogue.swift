public import ImageModel
internal import RegistryContract

/// What becomes of a namespace of a catalogue that is there already (Glance, "Loader").
public enum MetadefLoadMode: Sendable, CaseIterable {
    /// It stays as it is, and so does all it holds.
    case skip
    /// It stays, and gets what it does not hold yet.
    case merge
    /// Its fields and what the file names become what the file says; the rest stays.
    case mergePreferringNew
    /// It goes with all it holds, and is made again.
    case overwrite
}

/// What became of one file's namespace.
public enum MetadefLoadOutcome: Sendable, Equatable {
    case added, skipped, merged, replaced
}

extension MetadefTable {
    /// Takes a namespace of a catalogue into the database, with all it holds.
    public func load(
        _ file: MetadefCatalogueFile,
        _ mode: MetadefLoadMode,
        at now: Timestamp
    ) throws -> MetadefLoadOutcome {
        let name = file.record.namespace.name
        let everybody = Caller(isAdmin: true)
        let found: Stored?
        do {
            found = try stored(name, visibleTo: everybody, suffix: connection.dialect.forUpdate)
        } catch let error as RegistryError {
            guard error.code == .notFound else { throw error }
            found = nil
        }
        guard let found else {
            try makeNew(file, at: now)
            return .added
        }
        switch mode {
        case .skip:
            return .skipped
        case .merge:
            try merge(file.record.content, into: found, replacing: false, at: now)
            return .merged
        case .mergePreferringNew:
            var namespace = file.record.namespace
            namespace.updatedAt = now
            namespace.revision = found.namespace.revision + 1
            try write(namespace, to: found.id)
            try merge(file.record.content, into: found, replacing: true, at: now)
            return .merged
        case .overwrite:
            try remove(found.id)
            try makeNew(file, at: now)
            return .replaced
        }
    }

    private func makeNew(_ file: MetadefCatalogueFile, at now: Timestamp) throws {
        // Types that come with a catalogue are marked so, before the associations would make them.
        try ResourceTypeTable(connection).make(file.record.content.associations, areCatalogue: true, at: now)
        _ = try create(file.record, at: now)
    }

    /// By names: what is there is left alone or replaced, what is not is added.
    private func merge(_ content: MetadefContent, into stored: Stored, replacing: Bool, at now: Timestamp) throws {
        let (id, namespace) = (stored.id, stored.namespace.name)
        let types = ResourceTypeTable(connection)
        let properties = MetadefPropertyTable(connection)
        let objects = MetadefObjectTable(connection)
        let tags = MetadefTagTable(connection)

        let associated = Names(try types.associations(of: id).map(\.name))
        try types.make(content.associations, areCatalogue: true, at: now)
        for association in content.associations where replacing && associated.contains(association.name) {
            try types.replace(association, of: id, at: now)
        }
        let newAssociations = content.associations.filter { !associated.contains($0.name) }
        try types.associate(newAssociations, with: id, named: namespace, at: now)

        let grouped = Names(try objects.list(of: id).map(\.name))
        for object in content.objects where replacing && grouped.contains(object.name) {
            _ = try objects.replace(object.name, with: object, in: id, named: namespace, at: now)
        }
        let newObjects = content.objects.filter { !grouped.contains($0.name) }
        try objects.add(newObjects, to: id, named: namespace, at: now)

        let defined = Names(try properties.list(of: id).map(\.name))
        for property in content.properties where replacing && defined.contains(property.name) {
            try properties.replace(property.name, with: property, in: id, named: namespace, at: now)
        }
        let newProperties = content.properties.filter { !defined.contains($0.name) }
        try properties.add(newProperties, to: id, named: namespace, at: now)

        let tagged = Names(try tags.list(of: id, MetadefTagQuery()).map(\.name))
        let newTags = content.tags.map(\.name).filter { !tagged.contains($0) }
        try tags.add(newTags, to: id, named: namespace, at: now)
    }

    /// Removes the whole catalogue, with what users made of it.
    ///
    /// - Returns: how many namespaces went.
    public func unload() throws -> Int {
        for table in ["metadef_tags", "metadef_objects", "metadef_properties", "metadef_associations"] {
            try connection.execute("DELETE FROM \(table)", [])
        }
        let count = try connection.execute("DELETE FROM metadef_namespaces", [])
        try connection.execute("DELETE FROM metadef_resource_types", [])
        return count
    }

    /// The whole catalogue, oldest namespace first.
    public func catalogue() throws -> [MetadefCatalogueFile] {
        let names = try connection.query("SELECT namespace FROM metadef_namespaces ORDER BY id", []) { $0.text(0) }
        let everybody = Caller(isAdmin: true)
        return try names.map { MetadefCatalogueFile(try show($0, .everything, visibleTo: everybody)) }
    }
}

/// Names compared byte by byte, as the database does.
private struct Names {
    private let bytes: Set<[UInt8]>

    init(_ names: [String]) { bytes = Set(names.map { Array($0.utf8) }) }

    func contains(_ name: String) -> Bool { bytes.contains(Array(name.utf8)) }
}
