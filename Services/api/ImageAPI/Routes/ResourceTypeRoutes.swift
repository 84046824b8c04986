internal import Hummingbird
internal import ImageModel
internal import Policy
internal import RegistryContract

/// `/v2/metadefs/resource_types`, `…/{namespace}/resource_types` and `…/{namespace}/resource_types/{name}`.
struct ResourceTypeRoutes: Sendable {
    let editing: MetadefEditing

    var routes: [Route] {
        [
            Route(.get, "/metadefs/resource_types", list),
            Route(.get, "/metadefs/namespaces/{namespace}/resource_types", listAssociations),
            Route(.post, "/metadefs/namespaces/{namespace}/resource_types", associate),
            Route(.delete, "/metadefs/namespaces/{namespace}/resource_types/{name}", dissociate),
        ]
    }

    /// Every type there is, whoever made it.
    @Sendable func list(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        let types = try await editing.reading.resourceTypes(as: request.caller, requestID: request.requestID)
        return .json(.ok, MetadefDocument.bytes(types: types))
    }

    @Sendable func listAssociations(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        let record = try await request.show(.associations, requiring: [.listMetadefResourceTypes], with: editing)
        let isShown = try editing.reading.mayDo(.getMetadefResourceType, on: record.namespace, request.caller)
        return .json(.ok, MetadefDocument.bytes(list: isShown ? record.content.associations : []))
    }

    @Sendable func associate(_ request: APIRequest) async throws -> Response {
        let association = try ResourceTypeAssociation(parsing: try await request.objectDocument())
        let added = try await request.change(
            .associate(association),
            requiring: .addMetadefResourceTypeAssociation,
            with: editing
        )
        return .json(.created, MetadefDocument.bytes(added.associations.first ?? association))
    }

    @Sendable func dissociate(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        _ = try await request.change(
            .dissociate(request.partName),
            requiring: .removeMetadefResourceTypeAssociation,
            with: editing
        )
        return .empty()
    }
}
