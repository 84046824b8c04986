internal import Hummingbird
internal import ImageModel

/// `/v2/images/{id}/actions/deactivate` and `reactivate`.
struct ImageActionRoutes: Sendable {
    let change: ImageChange
    let settings: ImageAPISettings

    var routes: [Route] {
        [
            Route(.post, "/images/{id}/actions/deactivate", deactivate),
            Route(.post, "/images/{id}/actions/reactivate", reactivate),
        ]
    }

    @Sendable func deactivate(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        try await change.deactivate(
            try request.imageID(),
            onlyIf: try request.imagePrecondition(settings, isPart: true),
            as: request.caller,
            requestID: request.requestID
        )
        return .empty()
    }

    @Sendable func reactivate(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        try await change.reactivate(
            try request.imageID(),
            onlyIf: try request.imagePrecondition(settings, isPart: true),
            as: request.caller,
            requestID: request.requestID
        )
        return .empty()
    }
}
