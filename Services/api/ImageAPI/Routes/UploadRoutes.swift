internal import Digests
internal import HTTPTypes
internal import Hummingbird
internal import ImageModel
internal import RegistryContract
internal import StoreLayer

/// `/v2/images/{id}/uploads` and what is below: uploads that can be interrupted, by the tus protocol 1.0.0 (tus.io) with the
/// extensions that ``TusHeaders/extensions`` names.
struct UploadRoutes: Sendable {
    let uploads: ResumableUploads
    let sizeCap: Int64

    var routes: [Route] {
        [
            Route(.options, "/images/{id}/uploads", fields: TusHeaders.fields, options),
            Route(.post, "/images/{id}/uploads", fields: TusHeaders.fields, isLong: { _ in true }, create),
            Route(.options, "/images/{id}/uploads/{upload}", fields: TusHeaders.fields, options),
            Route(.head, "/images/{id}/uploads/{upload}", fields: TusHeaders.fields, show),
            Route(
                .patch,
                "/images/{id}/uploads/{upload}",
                fields: TusHeaders.fields,
                isLong: { _ in true },
                append
            ),
            Route(.delete, "/images/{id}/uploads/{upload}", fields: TusHeaders.fields, end),
        ]
    }

    /// What is served here; looks at no image.
    @Sendable func options(_ request: APIRequest) async throws -> Response {
        Response(
            status: .noContent,
            headers: [
                .tusExtension: TusHeaders.extensions,
                .tusMaxSize: String(sizeCap),
                .tusChecksumAlgorithm: TusHeaders.checksumAlgorithms.map(\.rawValue).joined(separator: ","),
            ]
        )
    }

    /// 201 with the place to send the data to; for a final upload, once its parts are put together and the image is active.
    @Sendable func create(_ request: APIRequest) async throws -> Response {
        let tus = try TusHeaders(request.request.headers)
        try request.requireNoBody()
        let concatenation = try tus.concatenation()
        let digests = try tus.digests()
        let metadata = try tus.metadata()
        let creation: ResumableUploads.Creation
        if case .final(let urls) = concatenation {
            let id = try request.imageID()
            creation = try await uploads.concatenate(
                try urls.map { url throws(ServiceError) in try name(url, of: id) },
                of: id,
                digests: digests,
                as: request.caller,
                requestID: request.requestID
            )
        } else {
            let announcement = ResumableUploads.Announcement(
                byteCount: try tus.length(),
                isPart: concatenation == .partial,
                store: request.header("x-image-meta-store"),
                metadata: metadata,
                digests: digests
            )
            creation = try await uploads.create(
                try request.imageID(),
                announcement,
                as: request.caller,
                requestID: request.requestID
            )
        }
        let path = "\(request.base)/v2/images/\(try request.imageID())/uploads/\(creation.name)"
        return Response(
            status: .created,
            headers: [.location: path, .uploadExpires: creation.expiresAt.httpDate]
        )
    }

    /// 200 with what is there, durably.
    @Sendable func show(_ request: APIRequest) async throws -> Response {
        _ = try TusHeaders(request.request.headers)
        let id = try request.imageID()
        let progress = try await uploads.show(
            id,
            try name(request),
            as: request.caller,
            requestID: request.requestID
        )
        var headers: HTTPFields = [
            .cacheControl: "no-store", .uploadOffset: String(progress.offset),
            .uploadLength: String(progress.byteCount),
        ]
        headers[.uploadMetadata] = progress.session.terms.metadata
        if !progress.session.isFinished { headers[.uploadExpires] = progress.session.lease.expiresAt.httpDate }
        if progress.session.terms.isParallel {
            let urls = progress.session.parts.indices.map { part in
                "/v2/images/\(id)/uploads/\(UploadName(attempt: progress.session.attempt, part: part))"
            }
            headers[.uploadConcat] = progress.name.part == nil ? "final;" + urls.joined(separator: " ") : "partial"
        }
        return Response(status: .ok, headers: headers)
    }

    /// 204 with how much is there now; once all of it is, the image is active.
    @Sendable func append(_ request: APIRequest) async throws -> Response {
        let tus = try TusHeaders(request.request.headers)
        guard request.request.headers[.contentType] == "application/offset+octet-stream" else {
            throw ServiceError(
                .unsupportedMediaType,
                "The bytes of an upload must have the media type application/offset+octet-stream."
            )
        }
        let offset = try tus.offset()
        let checksum = try tus.checksum()
        let digests = try tus.digests()
        let result = try await uploads.append(
            UploadBody(request: request),
            to: try name(request),
            of: try request.imageID(),
            at: offset,
            length: request.request.headers[.contentLength].flatMap { Int64($0) },
            checksum: checksum,
            digests: digests,
            as: request.caller,
            requestID: request.requestID
        )
        return Response(
            status: .noContent,
            headers: [
                .uploadOffset: String(result.progress.offset), .uploadExpires: result.expiresAt.httpDate,
            ]
        )
    }

    /// 204 once the upload is over and its bytes are gone; the image waits for another.
    @Sendable func end(_ request: APIRequest) async throws -> Response {
        _ = try TusHeaders(request.request.headers)
        try request.requireNoBody()
        try await uploads.end(
            try request.imageID(),
            try name(request),
            as: request.caller,
            requestID: request.requestID
        )
        return Response(status: .noContent)
    }

    private func name(_ request: APIRequest) throws(ServiceError) -> UploadName {
        guard let name = UploadName(request.parameters["upload"] ?? "") else { throw UploadName.absence }
        return name
    }

    /// Of an upload's URL, absolute or without its host.
    ///
    /// - Throws: `invalidRequest` for what is no URL of an upload of this image.
    private func name(_ url: String, of id: ImageID) throws(ServiceError) -> UploadName {
        let parts = url.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 5, parts.suffix(5).dropLast() == ["v2", "images", Substring(id.text), "uploads"],
            let name = parts.last.flatMap({ UploadName(String($0)) })
        else {
            throw ServiceError(.invalidRequest, "Upload-Concat names what is no upload of this image.")
        }
        return name
    }
}
