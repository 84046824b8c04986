internal import Hummingbird
internal import ImageModel
internal import Policy
internal import RegistryContract

/// `…/{namespace}/properties` and `…/{namespace}/properties/{name}`.
struct MetadefPropertyRoutes: Sendable {
    let editing: MetadefEditing

    var routes: [Route] {
        [
            Route(.get, "/metadefs/namespaces/{namespace}/properties", list),
            Route(.post, "/metadefs/namespaces/{namespace}/properties", add),
            Route(.delete, "/metadefs/namespaces/{namespace}/properties", removeAll),
            Route(.get, "/metadefs/namespaces/{namespace}/properties/{name}", show),
            Route(.put, "/metadefs/namespaces/{namespace}/properties/{name}", replace),
            Route(.delete, "/metadefs/namespaces/{namespace}/properties/{name}", remove),
        ]
    }

    @Sendable func list(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        let record = try await request.show(.properties, requiring: [.getMetadefProperties], with: editing)
        return .json(.ok, MetadefDocument.bytes(list: record.content.properties))
    }

    @Sendable func add(_ request: APIRequest) async throws -> Response {
        let property = try MetadefProperty(parsing: try await request.objectDocument())
        _ = try await request.change(.addProperty(property), requiring: .addMetadefProperty, with: editing)
        return .json(.created, MetadefDocument.bytes(property))
    }

    /// With a resource type the name is the one on such resources: the association's prefix and the property's own name,
    /// which is the one that is answered.
    @Sendable func show(_ request: APIRequest) async throws -> Response {
        let type = request.resourceType
        let record = try await request.show(
            .property(request.partName, resourceType: type),
            requiring: type == nil ? [.getMetadefProperty] : [.getMetadefProperty, .getMetadefResourceType],
            with: editing
        )
        if let type {
            let association = try request.found(record.content.associations, "resource-type-association", type)
            guard association.unprefixed(request.partName) != nil else {
                throw ServiceError(
                    .notFound,
                    "Property \(request.partName.excerpt) does not start with the expected resource type association "
                        + "prefix of '\(association.prefix ?? "")'."
                )
            }
        }
        return .json(.ok, MetadefDocument.bytes(try request.found(record.content.properties, "property")))
    }

    @Sendable func replace(_ request: APIRequest) async throws -> Response {
        let property = try MetadefProperty(parsing: try await request.objectDocument())
        let change = MetadefChange.replaceProperty(request.partName, property)
        _ = try await request.change(change, requiring: .modifyMetadefProperty, with: editing)
        return .json(.ok, MetadefDocument.bytes(property))
    }

    @Sendable func remove(_ request: APIRequest) async throws -> Response {
        let change = MetadefChange.removeProperty(request.partName)
        _ = try await request.change(change, requiring: .removeMetadefProperty, with: editing)
        return .empty()
    }

    @Sendable func removeAll(_ request: APIRequest) async throws -> Response {
        _ = try await request.change(.removeAll(.properties), requiring: .deleteMetadefNamespace, with: editing)
        return .empty()
    }
}
