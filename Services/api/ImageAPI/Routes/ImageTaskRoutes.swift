internal import Hummingbird
internal import ImageModel

/// `/v2/images/{id}/tasks`. Other methods are not told that it is there, as in the reference.
struct ImageTaskRoutes: Sendable {
    let reading: ImageReading

    var routes: [Route] { [Route(.get, "/images/{id}/tasks", isAdvertised: false, list)] }

    @Sendable func list(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        let id = try request.imageID { _ in "The resource could not be found." }
        let tasks = try await reading.tasks(of: id, as: request.caller, requestID: request.requestID)
        return .json(.ok, ImageTaskDocument.bytes(list: tasks))
    }
}
