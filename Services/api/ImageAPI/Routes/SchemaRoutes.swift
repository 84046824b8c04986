internal import Hummingbird
internal import ImageModel
internal import WireJSON

/// `/v2/schemas/…`: what clients build their models from. The documents never change while the service runs.
struct SchemaRoutes: Sendable {
    private let documents: [(name: String, bytes: [UInt8])]

    init(schema: ImageSchema) {
        let images = [
            ("image", schema.document), ("images", schema.collectionDocument),
            ("member", MemberSchema.document), ("members", MemberSchema.collectionDocument),
            ("task", TaskSchema.document), ("tasks", TaskSchema.collectionDocument),
        ]
        let metadefs = MetadefSchemaDocuments.all.map { ("metadefs/\($0.name)", $0.document) }
        documents = (images + metadefs).map { ($0, Array($1.text.utf8)) }
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
