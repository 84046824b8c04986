internal import HTTPTypes
internal import Hummingbird
internal import ImageModel
internal import StoreLayer
internal import WireJSON

/// `/v2/images` and `/v2/images/{id}`.
struct ImageRoutes: Sendable {
    let settings: ImageAPISettings
    let reading: ImageReading
    let creation: ImageCreation
    let change: ImageChange
    let deletion: ImageDeletion

    var routes: [Route] {
        [
            Route(.get, "/images", isLong: asksForLongPage, list),
            Route(.post, "/images", create),
            Route(.get, "/images/{id}", show),
            Route(.patch, "/images/{id}", update),
            Route(.delete, "/images/{id}", delete),
        ]
    }

    /// A hundred images are read and written in about a millisecond.
    @Sendable private func asksForLongPage(_ request: APIRequest) -> Bool {
        let limit = request.target.query.last { $0.name == "limit" }.flatMap { Int($0.value) }
        return min(limit ?? settings.defaultPageSize, settings.maximumPageSize) > 100
    }

    @Sendable func list(_ request: APIRequest) async throws -> Response {
        let preconditions = try request.preconditions()
        let query = try ImageListQuery(
            parameters: request.target.query,
            paging: PageLimits(default: settings.defaultPageSize, maximum: settings.maximumPageSize)
        )
        let page = try await reading.list(query, as: request.caller, requestID: request.requestID)
        let links = PageLinks(parameters: request.target.query)
        let bytes = ImageDocument.bytes(
            page: page.images,
            first: links.first,
            next: page.next.map { links.next(after: $0) },
            settings: settings,
            caller: request.caller
        )
        return try preconditions.answer(bytes, EntityTag(of: bytes))
    }

    @Sendable func create(_ request: APIRequest) async throws -> Response {
        let draft = try ImageDraft(parsing: try await request.objectDocument(), schema: settings.schema)
        let image = try await creation.create(draft, as: request.caller, requestID: request.requestID)
        var response = document(.created, image, request)
        response.headers[.location] = "\(request.base)/v2/images/\(image.id)"
        if settings.catalogue.isMultiStore, let name = HTTPField.Name("OpenStack-image-store-ids") {
            response.headers[name] = settings.catalogue.entries.map(\.identifier).joined(separator: ",")
        }
        return response
    }

    @Sendable func show(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        let preconditions = try request.preconditions()
        let image = try await reading.show(try request.imageID(), as: request.caller, requestID: request.requestID)
        let bytes = ImageDocument.bytes(image, settings: settings, caller: request.caller)
        return try preconditions.answer(bytes, EntityTag(of: bytes, revision: image.revision))
    }

    @Sendable func update(_ request: APIRequest) async throws -> Response {
        let dialect = try dialect(of: request)
        let patch = try ImagePatch(parsing: try await request.document(), dialect: dialect, schema: settings.schema)
        let image = try await change.apply(
            patch,
            to: try request.imageID(),
            onlyIf: try request.imagePrecondition(settings),
            as: request.caller,
            requestID: request.requestID
        )
        return document(.ok, image, request)
    }

    @Sendable func delete(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        try await deletion.delete(
            try request.imageID(absence: ImageDeletion.absence),
            onlyIf: try request.imagePrecondition(settings),
            as: request.caller,
            requestID: request.requestID
        )
        return .empty()
    }

    private func document(_ status: HTTPResponse.Status, _ image: Image, _ request: APIRequest) -> Response {
        let bytes = ImageDocument.bytes(image, settings: settings, caller: request.caller)
        return .json(status, bytes, headers: [.eTag: EntityTag(of: bytes, revision: image.revision).field])
    }

    private func dialect(of request: APIRequest) throws(ServiceError) -> PatchDialect {
        let type = request.request.headers[.contentType] ?? ""
        let essence = type.prefix { $0 != ";" }.split(separator: " ").first.map(String.init) ?? ""
        guard let dialect = PatchDialect(rawValue: essence.lowercased()) else {
            throw ServiceError(
                .unsupportedMediaType,
                "The request media type \(type.isEmpty ? "None" : String(type.prefix(128))) is not supported by this server. "
                    + "Image PATCH expects Content-Type one of: \(PatchDialect.accepted)",
                cause: UnsupportedPatchType()
            )
        }
        return dialect
    }
}

/// Marks the 415 that names the media types a change may have.
struct UnsupportedPatchType: Error {}
