internal import Hummingbird
internal import ImageModel
internal import Policy
internal import WireJSON

/// `/v2/metadefs/os_glance_check`: beyond the reference.
struct PropertyCheckRoutes: Sendable {
    let reading: ImageReading
    let check: PropertyCheck
    let protections: PropertyProtections

    var routes: [Route] { [Route(.get, "/metadefs/os_glance_check", show)] }

    /// What the metadata definitions have to say against the properties of one image (`?image=<id>`), of which the
    /// caller hears no more than it is shown.
    @Sendable func show(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        guard let text = request.target.query.last(where: { $0.name == "image" })?.value else {
            throw ServiceError(.invalidRequest, "Name the image to check: ?image=<id>")
        }
        guard let id = ImageID(text) else {
            throw ServiceError(.notFound, "No image found with ID \(text.excerpt)")
        }
        let image = try await reading.show(id, as: request.caller, requestID: request.requestID)
        let shown = ImageDocument.properties(of: image, protections, request.caller)
        let problems = try await check.problems(
            in: Dictionary(uniqueKeysWithValues: shown),
            as: request.caller,
            requestID: request.requestID
        )
        return .json(.ok, Self.bytes(problems, of: image))
    }

    static func bytes(_ problems: [PropertyProblem], of image: Image) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("image_id", image.id.text)
            writer.field("problems", array: problems) { writer, problem in
                writer.object { writer in
                    writer.field("property", problem.property)
                    writer.field("problem", problem.kind.rawValue)
                    writer.field("message", "The property \(problem.sentence).")
                    writer.field("namespaces", strings: problem.namespaces)
                }
            }
        }
        return writer.bytes
    }
}
