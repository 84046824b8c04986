internal import Hummingbird
internal import ImageModel
internal import WireJSON

/// `/v2/schemas/image` and `images`: what clients build their models from. They never change while the service runs.
struct SchemaRoutes: Sendable {
    private let image: [UInt8]
    private let images: [UInt8]

    init(schema: ImageSchema) {
        image = Array(schema.document.text.utf8)
        images = Array(schema.collectionDocument.text.utf8)
    }

    var routes: [Route] {
        [
            Route(.get, "/schemas/image") { request in
                try request.requireNoBody()
                return .json(.ok, image)
            },
            Route(.get, "/schemas/images") { request in
                try request.requireNoBody()
                return .json(.ok, images)
            },
        ]
    }
}
