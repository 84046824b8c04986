internal import Hummingbird
internal import ImageModel
internal import WireJSON

/// `/v2/images/{id}/locations`: where data is, for other services, and data that is somewhere already.
struct ImageLocationRoutes: Sendable {
    let settings: ImageAPISettings
    let locations: ImageLocations

    var routes: [Route] {
        [
            Route(.get, "/images/{id}/locations", isAdvertised: false, list),
            Route(.post, "/images/{id}/locations", add),
        ]
    }

    /// Answers a bare array.
    @Sendable func list(_ request: APIRequest) async throws -> Response {
        let image = try await locations.show(try request.imageID(), as: request.caller, requestID: request.requestID)
        var writer = JSONWriter()
        writer.array(ImageDocument.locations(of: image, settings, request.caller)) {
            ImageDocument.write($1, to: &$0)
        }
        return .json(.ok, writer.bytes)
    }

    /// Answers 202: the location is recorded, and its data may still be read for digests.
    @Sendable func add(_ request: APIRequest) async throws -> Response {
        let location = try LocationRequest(parsing: try await request.document())
        try await locations.add(
            location,
            to: try request.imageID(),
            as: request.caller,
            requestID: request.requestID
        )
        return .empty(.accepted)
    }
}
