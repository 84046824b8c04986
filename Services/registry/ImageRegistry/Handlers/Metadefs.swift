internal import ImageModel
internal import RegistryContract
internal import RegistryDatabase

extension RegistryHandlers {
    static let listMetadefs = RegistryHandler<ListMetadefs> { operation, caller, connection, _ in
        MetadefPage(namespaces: try MetadefTable(connection).list(operation.query, visibleTo: caller))
    }

    static let showMetadefs = RegistryHandler<ShowMetadefs> { operation, caller, connection, _ in
        try MetadefTable(connection).show(operation.namespace, operation.part, visibleTo: caller)
    }

    static let createMetadefs = RegistryHandler<CreateMetadefs> { operation, _, connection, context in
        try MetadefTable(connection).create(operation.record, at: context.now())
    }

    static let updateMetadefs = RegistryHandler<UpdateMetadefs> { operation, caller, connection, context in
        try MetadefTable(connection).update(operation, as: caller, at: context.now())
    }

    static let deleteMetadefs = RegistryHandler<DeleteMetadefs> { operation, caller, connection, _ in
        try MetadefTable(connection).delete(operation, as: caller)
        return Done()
    }

    static let changeMetadefs = RegistryHandler<ChangeMetadefs> { operation, caller, connection, context in
        try MetadefTable(connection).change(operation, as: caller, at: context.now())
    }

    static let findDefinitions = RegistryHandler<FindDefinitions> { operation, caller, connection, _ in
        MetadefPage(
            namespaces: try MetadefTable(connection)
                .definitions(of: operation.names, on: operation.resourceType, visibleTo: caller)
        )
    }

    static let listResourceTypes = RegistryHandler<ListResourceTypes> { _, _, connection, _ in
        ResourceTypes(types: try ResourceTypeTable(connection).list())
    }
}
