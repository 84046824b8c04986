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

    /// One read of a download, two of which are in memory at a time.
    static let chunkByteCount = 512 << 10

    var routes: [Route] {
        [
            Route(.get, "/images/{id}/file", get),
            Route(.put, "/images/{id}/file", put),
            Route(.put, "/images/{id}/stage", stage),
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

    /// `prefer`: a list with commas; of several the last counts.
    private func preferredStores(_ request: APIRequest) -> [String]? {
        let text = request.target.query.last { $0.name == "prefer" }?.value ?? ""
        let stores = text.split(separator: ",").map { String($0.filter { $0 != " " && $0 != "\t" }) }
            .filter { !$0.isEmpty }
        return stores.isEmpty ? nil : stores
    }

    /// 200 with all of it, 206 with a part, 204 where there is no data.
    @Sendable func get(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        let opened = try await download.open(
            try request.imageID(),
            preferred: preferredStores(request),
            as: request.caller,
            requestID: request.requestID
        ) { size throws(ServiceError) in
            try ByteRange.requested(
                range: request.request.headers[.range],
                contentRange: request.request.headers[.contentRange],
                size: size
            )
        }
        guard let opened else { return .empty() }
        let range = opened.blob.range
        var headers: HTTPFields = [.contentType: "application/octet-stream", .contentLength: String(range.count)]
        if let checksum = opened.image.checksum, let name = HTTPField.Name("Content-MD5") { headers[name] = checksum }
        if opened.isPartial {
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(opened.blob.totalByteCount)"
        }
        let blob = opened.blob
        return Response(
            status: opened.isPartial ? .partialContent : .ok,
            headers: headers,
            body: ResponseBody(contentLength: range.count) { writer in
                defer { blob.close() }
                // A stream that comes up short throws, and so aborts the connection.
                for try await chunk in blob.chunks(of: Self.chunkByteCount) { try await writer.write(chunk) }
                try await writer.finish(nil)
            }
        )
    }
}
