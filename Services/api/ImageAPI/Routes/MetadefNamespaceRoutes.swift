internal import HTTPTypes
internal import Hummingbird
internal import ImageModel
internal import Policy
internal import RegistryContract

/// `/v2/metadefs/namespaces` and `/v2/metadefs/namespaces/{namespace}`.
struct MetadefNamespaceRoutes: Sendable {
    let settings: ImageAPISettings
    let editing: MetadefEditing

    var routes: [Route] {
        [
            Route(.get, "/metadefs/namespaces", list),
            Route(.post, "/metadefs/namespaces", create),
            Route(.get, "/metadefs/namespaces/{namespace}", show),
            Route(.put, "/metadefs/namespaces/{namespace}", replace),
            Route(.delete, "/metadefs/namespaces/{namespace}", delete),
        ]
    }

    @Sendable func list(_ request: APIRequest) async throws -> Response {
        let query = try MetadefNamespaceQuery(
            parameters: request.target.query,
            paging: PageLimits(default: settings.defaultPageSize, maximum: settings.maximumPageSize)
        )
        let page = try await editing.reading.list(query, as: request.caller, requestID: request.requestID)
        let links = PageLinks(of: MetadefDocument.namespaces, parameters: request.target.query)
        return .json(.ok, MetadefDocument.bytes(page: page.namespaces, links: links, next: page.next))
    }

    @Sendable func create(_ request: APIRequest) async throws -> Response {
        let draft = try MetadefNamespaceDraft(parsing: try await request.objectDocument())
        let record = try await editing.create(draft, as: request.caller, requestID: request.requestID)
        let location = request.base + MetadefDocument.location(of: record.namespace.name)
        return .json(.created, MetadefDocument.bytes(record, echoes: true), headers: [.location: location])
    }

    /// With all it holds, and so under all the rules of what it holds.
    @Sendable func show(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        var record = try await editing.reading.show(
            request.namespace,
            .everything,
            requiring: [
                .getMetadefNamespace, .listMetadefResourceTypes, .getMetadefObjects, .getMetadefProperties,
                .getMetadefTags,
            ],
            as: request.caller,
            requestID: request.requestID
        )
        if let type = request.resourceType { record.content = record.content.prefixed(for: type) }
        return .json(.ok, MetadefDocument.bytes(record))
    }

    @Sendable func replace(_ request: APIRequest) async throws -> Response {
        let namespace = try await editing.replace(
            request.namespace,
            with: try MetadefNamespaceDraft(parsing: try await request.objectDocument()),
            as: request.caller,
            requestID: request.requestID
        )
        return .json(.ok, MetadefDocument.bytes(MetadefRecord(namespace: namespace)))
    }

    @Sendable func delete(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        try await editing.delete(request.namespace, as: request.caller, requestID: request.requestID)
        return .empty()
    }
}

extension APIRequest {
    /// The namespace that the path names.
    var namespace: String { parameters["namespace"] ?? "" }

    /// What the path names behind the namespace.
    var partName: String { parameters["name"] ?? "" }

    /// The kind of resource that names are to be shown for; other parameters mean nothing there.
    var resourceType: String? { target.query.last { $0.name == "resource_type" }?.value }

    func change(
        _ change: MetadefChange,
        requiring rules: PolicyRule...,
        with editing: MetadefEditing
    ) async throws -> MetadefContent {
        try await editing.apply(change, to: namespace, requiring: rules, as: caller, requestID: requestID).content
    }

    func show(
        _ part: MetadefPart,
        requiring rules: [PolicyRule],
        with editing: MetadefEditing
    ) async throws -> MetadefRecord {
        try await editing.reading.show(namespace, part, requiring: rules, as: caller, requestID: requestID)
    }

    /// The one part that was asked for.
    ///
    /// - Throws: `notFound`.
    func found<Part>(_ parts: [Part], _ noun: String, _ name: String? = nil) throws(ServiceError) -> Part {
        guard let part = parts.first else {
            throw ServiceError(.notFound, MetadefContent.absence(of: noun, name ?? partName, from: namespace))
        }
        return part
    }
}
