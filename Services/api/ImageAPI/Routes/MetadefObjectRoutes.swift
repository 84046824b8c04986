internal import Hummingbird
internal import ImageModel
internal import Policy
internal import RegistryContract

/// `…/{namespace}/objects` and `…/{namespace}/objects/{name}`.
struct MetadefObjectRoutes: Sendable {
    let editing: MetadefEditing

    var routes: [Route] {
        [
            Route(.get, "/metadefs/namespaces/{namespace}/objects", list),
            Route(.post, "/metadefs/namespaces/{namespace}/objects", add),
            Route(.delete, "/metadefs/namespaces/{namespace}/objects", removeAll),
            Route(.get, "/metadefs/namespaces/{namespace}/objects/{name}", show),
            Route(.put, "/metadefs/namespaces/{namespace}/objects/{name}", replace),
            Route(.delete, "/metadefs/namespaces/{namespace}/objects/{name}", remove),
        ]
    }

    /// Always all of them: the reference checks the parameters of a page and does nothing with them.
    @Sendable func list(_ request: APIRequest) async throws -> Response {
        try MetadefObject.requireKnown(parameters: request.target.query)
        let record = try await request.show(.objects, requiring: [.getMetadefObjects], with: editing)
        let isShown = try editing.reading.mayDo(.getMetadefObject, on: record.namespace, request.caller)
        let objects = isShown ? record.content.objects : []
        return .json(.ok, MetadefDocument.bytes(list: objects, of: request.namespace))
    }

    @Sendable func add(_ request: APIRequest) async throws -> Response {
        let object = try MetadefObject(parsing: try await request.objectDocument())
        let added = try await request.change(.addObject(object), requiring: .addMetadefObject, with: editing)
        return .json(.created, MetadefDocument.bytes(added.objects.first ?? object, of: request.namespace))
    }

    @Sendable func show(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        let record = try await request.show(.object(request.partName), requiring: [.getMetadefObject], with: editing)
        let object = try request.found(record.content.objects, "object")
        return .json(.ok, MetadefDocument.bytes(object, of: request.namespace))
    }

    @Sendable func replace(_ request: APIRequest) async throws -> Response {
        let object = try MetadefObject(parsing: try await request.objectDocument())
        let change = MetadefChange.replaceObject(request.partName, object)
        let changed = try await request.change(change, requiring: .modifyMetadefObject, with: editing)
        return .json(.ok, MetadefDocument.bytes(changed.objects.first ?? object, of: request.namespace))
    }

    @Sendable func remove(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        let change = MetadefChange.removeObject(request.partName)
        _ = try await request.change(change, requiring: .deleteMetadefObject, with: editing)
        return .empty()
    }

    @Sendable func removeAll(_ request: APIRequest) async throws -> Response {
        _ = try await request.change(.removeAll(.objects), requiring: .deleteMetadefNamespace, with: editing)
        return .empty()
    }
}
