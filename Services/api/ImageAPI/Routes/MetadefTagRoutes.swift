internal import Hummingbird
internal import ImageModel
internal import Policy
internal import RegistryContract

/// `…/{namespace}/tags` and `…/{namespace}/tags/{name}`.
struct MetadefTagRoutes: Sendable {
    let editing: MetadefEditing

    var routes: [Route] {
        [
            Route(.get, "/metadefs/namespaces/{namespace}/tags", list),
            Route(.post, "/metadefs/namespaces/{namespace}/tags", addMany),
            Route(.delete, "/metadefs/namespaces/{namespace}/tags", removeAll),
            Route(.get, "/metadefs/namespaces/{namespace}/tags/{name}", show),
            Route(.post, "/metadefs/namespaces/{namespace}/tags/{name}", add),
            Route(.put, "/metadefs/namespaces/{namespace}/tags/{name}", rename),
            Route(.delete, "/metadefs/namespaces/{namespace}/tags/{name}", remove),
        ]
    }

    @Sendable func list(_ request: APIRequest) async throws -> Response {
        let query = try MetadefTagQuery(parameters: request.target.query)
        let record = try await request.show(.tags(query), requiring: [.getMetadefTags], with: editing)
        return .json(.ok, MetadefDocument.bytes(list: record.content.tags))
    }

    /// The tags take the place of those that are there, unless a header says that those stay.
    @Sendable func addMany(_ request: APIRequest) async throws -> Response {
        let names = try MetadefTag.names(parsing: try await request.objectDocument())
        let truths: Set<String> = ["1", "t", "true", "on", "y", "yes"]
        let keepsOthers = truths.contains((request.header("X-Openstack-Append") ?? "").lowercased())
        let change = MetadefChange.addTags(names, keepsOthers: keepsOthers)
        let added = try await request.change(change, requiring: .addMetadefTags, with: editing)
        return .json(.created, MetadefDocument.bytes(list: added.tags))
    }

    @Sendable func show(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        let record = try await request.show(.tag(request.partName), requiring: [.getMetadefTag], with: editing)
        return .json(.ok, MetadefDocument.bytes(try request.found(record.content.tags, "tag")))
    }

    @Sendable func add(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        let name = try MetadefTag.name(inPath: request.partName)
        let change = MetadefChange.addTags([name], keepsOthers: true)
        let added = try await request.change(change, requiring: .addMetadefTag, with: editing)
        return .json(.created, MetadefDocument.bytes(try request.found(added.tags, "tag")))
    }

    @Sendable func rename(_ request: APIRequest) async throws -> Response {
        let name = try MetadefTag.name(parsing: try await request.objectDocument())
        let change = MetadefChange.renameTag(request.partName, to: name)
        let changed = try await request.change(change, requiring: .modifyMetadefTag, with: editing)
        return .json(.ok, MetadefDocument.bytes(try request.found(changed.tags, "tag")))
    }

    @Sendable func remove(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        _ = try await request.change(.removeTag(request.partName), requiring: .deleteMetadefTag, with: editing)
        return .empty()
    }

    @Sendable func removeAll(_ request: APIRequest) async throws -> Response {
        _ = try await request.change(
            .removeAll(.tags),
            requiring: .deleteMetadefNamespace,
            .deleteMetadefTags,
            with: editing
        )
        return .empty()
    }
}
