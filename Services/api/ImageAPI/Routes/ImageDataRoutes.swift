internal import HTTPTypes
internal import Hummingbird
internal import ImageModel
internal import NIOCore
internal import ServiceKit
internal import StoreLayer

/// `/v2/images/{id}/file` and `/v2/images/{id}/stage`.
struct ImageDataRoutes: Sendable {
    let upload: ImageUpload
    let staging: ImageStaging
    let download: ImageDownload

    var routes: [Route] {
        [
            Route(.get, "/images/{id}/file", get),
            Route(.put, "/images/{id}/file", isLong: { _ in true }, put),
            Route(.put, "/images/{id}/stage", isLong: { _ in true }, stage),
        ]
    }

    /// Answers 204 once the bytes are stored and the image is active.
    @Sendable func put(_ request: APIRequest) async throws -> Response {
        try requireOctets(request)
        let declaration = ImageUpload.Declaration(
            size: try declaredSize(request),
            store: request.header("x-image-meta-store"),
            digests: try ExpectedDigests(headers: request.request.headers)
        )
        try await upload.run(
            try request.imageID(),
            declaration,
            body: UploadBody(request: request),
            as: request.caller,
            requestID: request.requestID
        )
        return .empty()
    }

    /// Answers 204 once the bytes wait on this node to be imported.
    @Sendable func stage(_ request: APIRequest) async throws -> Response {
        try staging.requireEnabled()
        try requireOctets(request)
        let size = try declaredSize(request)
        let digests = try ExpectedDigests(headers: request.request.headers)
        try await staging.run(
            try request.imageID(),
            size: size,
            digests: digests,
            body: UploadBody(request: request),
            as: request.caller,
            requestID: request.requestID
        )
        return .empty()
    }

    private func requireOctets(_ request: APIRequest) throws(ServiceError) {
        let type = request.request.headers[.contentType] ?? ""
        guard type.prefix(while: { $0 != ";" }).lowercased() == "application/octet-stream" else {
            throw ServiceError(
                .unsupportedMediaType,
                "The request media type \(type.isEmpty ? "None" : String(type.prefix(128))) is not supported by this server. "
                    + "Invalid content type \(type.isEmpty ? "None" : String(type.prefix(128)))"
            )
        }
    }

    /// `x-openstack-image-size` wins over `Content-Length`; 0 stands for unknown.
    private func declaredSize(_ request: APIRequest) throws(ServiceError) -> Int64? {
        if let text = request.header("x-openstack-image-size") {
            guard let size = Int64(text), size >= 0 else {
                throw ServiceError(.invalidRequest, "Invalid or missing image size in request headers.")
            }
            return size == 0 ? nil : size
        }
        let length = request.request.headers[.contentLength].flatMap { Int64($0) }
        return length == 0 ? nil : length
    }
}
