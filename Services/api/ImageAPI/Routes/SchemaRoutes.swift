internal import Hummingbird
internal import ImageModel
internal import WireJSON

/// `/v2/schemas/…`: what clients build their models from. The documents never change while the service runs.
struct SchemaRoutes: Sendable {
    private let documents: [(name: String, bytes: [UInt8])]

    init(schema: ImageSchema) {
        documents = [
            ("image", schema.document), ("images", schema.collectionDocument),
            ("member", MemberSchema.document), ("members", MemberSchema.collectionDocument),
            ("task", TaskSchema.document), ("tasks", TaskSchema.collectionDocument),
        ].map { ($0, Array($1.text.utf8)) }
    }

    var routes: [Route] {
        documents.map { document in
            Route(.get, "/schemas/\(document.name)") { request in
                // The two of tasks never looked at bodies, and clients may have come to rely on that.
                if !document.name.hasPrefix("task") { try request.requireNoBody() }
                return .json(.ok, document.bytes)
            }
        }
    }
}
