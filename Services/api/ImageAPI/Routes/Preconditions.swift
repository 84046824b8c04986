internal import HTTPTypes
internal import Hummingbird
internal import ImageModel

/// What a request demands of the present state of what it names (RFC 9110 §13); without such headers, nothing.
///
/// They are looked at behind everything else that could refuse the request: what a caller may not see or do stays 404 or
/// 403 (RFC 9110 §13.2.1).
struct Preconditions: Sendable, Equatable {
    var match: EntityTagList?
    var noneMatch: EntityTagList?

    /// - Throws: `invalidRequest` for a header that cannot be read.
    init(_ headers: HTTPFields) throws(ServiceError) {
        if let value = headers[.ifMatch] { match = try EntityTagList(parsing: value, header: "If-Match") }
        if let value = headers[.ifNoneMatch] { noneMatch = try EntityTagList(parsing: value, header: "If-None-Match") }
    }

    /// For a request that changes something.
    ///
    /// - Throws: `preconditionFailed`.
    func require(_ tag: () -> EntityTag) throws(ServiceError) {
        guard match != nil || noneMatch != nil else { return }
        let tag = tag()
        if let match, !match.matchesStrongly(tag) { throw Self.failure }
        if let noneMatch, noneMatch.matchesWeakly(tag) { throw Self.failure }
    }

    /// For a request that reads: the document, or 304 where the client has it already.
    ///
    /// - Throws: `preconditionFailed`.
    func answer(_ bytes: [UInt8], _ tag: EntityTag) throws(ServiceError) -> Response {
        if let match, !match.matchesStrongly(tag) { throw Self.failure }
        guard let noneMatch, noneMatch.matchesWeakly(tag) else {
            return .json(.ok, bytes, headers: [.eTag: tag.field])
        }
        var response = Response(status: .notModified, headers: [.eTag: tag.field])
        // The length would have to be the document's (RFC 9110 §8.6).
        response.headers[.contentLength] = nil
        return response
    }

    /// For a request for data: whether the client has it already.
    ///
    /// - Parameter tag: Of the data; `nil` where nobody knows its digest, which only `*` matches.
    /// - Throws: `preconditionFailed`.
    func hasData(_ tag: EntityTag?) throws(ServiceError) -> Bool {
        if let match, match != .any, tag.map(match.matchesStrongly) != true { throw Self.failure }
        guard let noneMatch else { return false }
        return noneMatch == .any || tag.map(noneMatch.matchesWeakly) == true
    }

    private static let failure = ServiceError(
        .preconditionFailed,
        "The image is not in the state that the request's precondition names; nothing was changed."
    )
}

extension APIRequest {
    func preconditions() throws(ServiceError) -> Preconditions { try Preconditions(request.headers) }

    /// The tag of an image as it is shown to this caller.
    func tag(of image: Image, _ settings: ImageAPISettings) -> EntityTag {
        EntityTag(
            of: ImageDocument.bytes(image, settings: settings, caller: caller),
            revision: image.revision
        )
    }

    /// What the headers demand of the image that is going to be changed.
    ///
    /// - Parameter isPart: The path names a part of the image. `If-None-Match` would be about that part, which has no tags
    ///   of its own, and is passed over.
    func imagePrecondition(_ settings: ImageAPISettings, isPart: Bool = false) throws(ServiceError) -> ImagePrecondition
    {
        var preconditions = try preconditions()
        if isPart { preconditions.noneMatch = nil }
        return { [preconditions] image throws(ServiceError) in
            try preconditions.require { tag(of: image, settings) }
        }
    }
}
