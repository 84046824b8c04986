import ImageModel
import WireJSON

/// The body of PATCH /v2/images/{id}, in both dialects, applied to an image.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    guard let body = try? JSONValue(parsing: bytes) else { return 0 }
    for dialect in PatchDialect.allCases {
        guard let patch = try? ImagePatch(parsing: body, dialect: dialect, schema: schema) else { continue }
        var outcome = PatchOutcome(of: image)
        for operation in patch.operations {
            if case .locations = operation { continue }
            guard (try? outcome.apply(operation, by: Caller(project: "p"), limits: ImageLimits())) != nil else { break }
        }
        precondition(outcome.image.id == image.id, "an image has become another")
    }
    return 0
}

private let schema = ImageSchema()

private let image: Image = {
    guard let id = ImageID("6f0a2f4e-4f5d-4a0e-9d5b-2a4d3c1b0e9f") else { fatalError("an id") }
    return Image(id: id, visibility: .shared, owner: "p", properties: ["a": "1", "b": nil])
}()
