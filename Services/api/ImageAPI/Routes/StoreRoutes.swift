internal import Hummingbird
internal import ImageModel

/// `/v2/stores/{store}/{id}`: one of several copies of an image's data.
struct StoreRoutes: Sendable {
    let removal: StoreRemoval

    var routes: [Route] { [Route(.delete, "/stores/{store}/{id}", delete)] }

    /// Answers 204 once the data is gone from the store, or is going to be.
    @Sendable func delete(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        let store = try removal.store(request.parameters["store"] ?? "")
        try await removal.run(
            try request.imageID(absence: StoreRemoval.absence),
            from: store,
            as: request.caller,
            requestID: request.requestID
        )
        return .empty()
    }
}
