internal import Hummingbird
internal import ImageModel
internal import RegistryContract

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
        let precondition = try request.imagePrecondition(settings, isPart: true)
        try await withImage(of: request) { id in
            try await change.addTag(
                request.parameters["tag"] ?? "",
                to: id,
                onlyIf: precondition,
                as: request.caller,
                requestID: request.requestID
            )
        }
        return .empty()
    }

    @Sendable func remove(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        let precondition = try request.imagePrecondition(settings, isPart: true)
        try await withImage(of: request) { id in
            try await change.removeTag(
                request.parameters["tag"] ?? "",
                from: id,
                onlyIf: precondition,
                as: request.caller,
                requestID: request.requestID
            )
        }
        return .empty()
    }

    /// These routes have words of their own for an image that is not there.
    private func withImage(of request: APIRequest, _ body: (ImageID) async throws -> Void) async throws {
        let id = try request.imageID { "Image \($0) not found." }
        do {
            try await body(id)
        } catch let error as ServiceError {
            guard (error.cause as? RegistryError)?.code == .notFound else { throw error }
            throw ServiceError(.notFound, "Image \(id) not found.", cause: error.cause)
        }
    }
}
