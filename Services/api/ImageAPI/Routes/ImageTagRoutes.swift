internal import Hummingbird
internal import ImageModel

/// `/v2/images/{id}/tags/{tag}`.
struct ImageTagRoutes: Sendable {
    let change: ImageChange
    let settings: ImageAPISettings

    var routes: [Route] {
        [
            Route(.put, "/images/{id}/tags/{tag}", add),
            Route(.delete, "/images/{id}/tags/{tag}", remove),
        ]
    }

    @Sendable func add(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        try await change.addTag(
            request.parameters["tag"] ?? "",
            to: try request.imageID(),
            onlyIf: try request.imagePrecondition(settings, isPart: true),
            as: request.caller,
            requestID: request.requestID
        )
        return .empty()
    }

    @Sendable func remove(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        try await change.removeTag(
            request.parameters["tag"] ?? "",
            from: try request.imageID(),
            onlyIf: try request.imagePrecondition(settings, isPart: true),
            as: request.caller,
            requestID: request.requestID
        )
        return .empty()
    }
}
