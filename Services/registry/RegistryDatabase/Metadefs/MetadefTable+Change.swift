public import ImageModel
public import RegistryContract

extension MetadefTable {
    /// One change of a namespace's content. The checks come in the order in which the API answers: the namespace, what is
    /// to be replaced or removed, protection.
    ///
    /// - Throws: `notFound`, `changedMeanwhile`, `forbidden`, `duplicate`.
    public func change(_ operation: ChangeMetadefs, as caller: Caller, at now: Timestamp) throws -> MetadefRecord {
        let stored = try decidedOn(operation.namespace, operation.revision, caller)
        return MetadefRecord(
            namespace: stored.namespace,
            content: try apply(operation.change, to: stored, at: now)
        )
    }

    private func apply(_ change: MetadefChange, to stored: Stored, at now: Timestamp) throws -> MetadefContent {
        let id = stored.id
        let namespace = stored.namespace.name
        let properties = MetadefPropertyTable(connection)
        let objects = MetadefObjectTable(connection)
        let tags = MetadefTagTable(connection)
        let types = ResourceTypeTable(connection)
        switch change {
        case .addProperty(let property):
            try properties.add([property], to: id, named: namespace, at: now)
            return MetadefContent(properties: [property])
        case .replaceProperty(let name, let property):
            try properties.replace(name, with: property, in: id, named: namespace, at: now)
            return MetadefContent(properties: [property])
        case .removeProperty(let name):
            try properties.requireExistence(of: name, in: id, named: namespace)
            try requireUnprotected(stored, "property \(name)")
            try properties.remove(name, from: id)
        case .addObject(let object):
            try objects.add([object], to: id, named: namespace, at: now)
            return MetadefContent(objects: try objects.list(of: id, only: object.name))
        case .replaceObject(let name, let object):
            return MetadefContent(
                objects: [try objects.replace(name, with: object, in: id, named: namespace, at: now)]
            )
        case .removeObject(let name):
            try objects.requireExistence(of: name, in: id, named: namespace)
            try requireUnprotected(stored, "object \(name)")
            try objects.remove(name, from: id)
        case .addTags(let names, let keepsOthers):
            if !keepsOthers { try tags.removeAll(of: id) }
            try tags.add(names, to: id, named: namespace, at: now)
            return MetadefContent(tags: names.map { MetadefTag(name: $0, createdAt: now, updatedAt: now) })
        case .renameTag(let name, let newName):
            try tags.rename(name, to: newName, in: id, named: namespace, at: now)
            return MetadefContent(tags: try tags.list(of: id, only: newName))
        case .removeTag(let name):
            try tags.requireExistence(of: name, in: id, named: namespace)
            try requireUnprotected(stored, "tag \(name)")
            try tags.remove(name, from: id)
        case .associate(let association):
            try types.associate([association], with: id, named: namespace, at: now)
            return MetadefContent(associations: try types.associations(of: id, only: association.name))
        case .dissociate(let name):
            try types.requireAssociation(with: name, of: id, named: namespace)
            try requireUnprotected(stored, "resource-type-association \(name)")
            try types.dissociate(name, from: id)
        case .removeAll(let kind):
            try requireUnprotected(stored, "namespace \(namespace)")
            switch kind {
            case .objects: try objects.removeAll(of: id)
            case .properties: try properties.removeAll(of: id)
            case .tags: try tags.removeAll(of: id)
            }
        }
        return MetadefContent()
    }
}
