internal import HTTPTypes
internal import Hummingbird
internal import ImageModel
internal import StoreLayer

extension ImageDataRoutes {
    /// 200 with all of it, 206 with a part, 304 where the client has it, 204 where there is no data.
    @Sendable func get(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        let preferred = preferredStores(request)
        let image = try await download.find(
            try request.imageID(),
            preferred: preferred,
            as: request.caller,
            requestID: request.requestID
        )
        guard !image.locations.isEmpty, let size = image.size else { return .empty() }
        let tag = image.hashValue.map { EntityTag(text: $0) }
        if try request.preconditions().hasData(tag) { return Self.notModified(tag) }
        let part = try ByteRange.requested(
            range: Self.holds(request.request.headers[.ifRange], tag) ? request.request.headers[.range] : nil,
            contentRange: request.request.headers[.range] == nil ? request.request.headers[.contentRange] : nil,
            size: size
        )
        guard let opened = try await download.open(image, part, preferred: preferred) else {
            return .empty()
        }
        let length = opened.blob.range.count
        let sending = DataSending(opened, of: image, download: download, request: request)
        return Response(
            status: part == nil ? .ok : .partialContent,
            headers: Self.headers(of: opened.blob, image, tag, isPartial: part != nil),
            body: ResponseBody(contentLength: length) { writer in
                // The connection's event loop is left to other connections.
                try await withTaskExecutorPreference(globalConcurrentExecutor) { try await sending.run(&writer) }
            }
        )
    }

    /// The digests are those of the whole, also beside a part.
    private static func headers(of blob: any Blob, _ image: Image, _ tag: EntityTag?, isPartial: Bool) -> HTTPFields {
        let range = blob.range
        var headers: HTTPFields = [
            .contentType: "application/octet-stream", .contentLength: String(range.count), .acceptRanges: "bytes",
        ]
        if let checksum = image.checksum { headers[.contentMD5] = checksum }
        if let tag { headers[.eTag] = tag.field }
        if isPartial {
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(blob.totalByteCount)"
        }
        return headers
    }

    private static func notModified(_ tag: EntityTag?) -> Response {
        var response = Response(status: .notModified, headers: tag.map { [.eTag: $0.field] } ?? [:])
        // The length would have to be the data's (RFC 9110 §8.6).
        response.headers[.contentLength] = nil
        return response
    }

    /// Whether a `Range` counts beside this `If-Range`: a tag has to be the data's, and a date is that of no data, for none
    /// is ever told (RFC 9110 §13.1.5).
    private static func holds(_ condition: String?, _ tag: EntityTag?) -> Bool {
        guard let condition else { return true }
        return condition == tag?.field
    }

    /// `prefer`: a list with commas; of several the last counts.
    private func preferredStores(_ request: APIRequest) -> [String]? {
        let text = request.target.query.last { $0.name == "prefer" }?.value ?? ""
        let stores = text.split(separator: ",").map { String($0.filter { $0 != " " && $0 != "\t" }) }
            .filter { !$0.isEmpty }
        return stores.isEmpty ? nil : stores
    }
}
