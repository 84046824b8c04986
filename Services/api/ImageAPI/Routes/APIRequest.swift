internal import HTTPTypes
internal import Hummingbird
internal import ImageModel
internal import Logging
internal import NIOCore
internal import ServiceKit
internal import WireJSON

/// A request on its way to its route: decoded, identified, matched.
struct APIRequest: Sendable {
    var request: Request
    var target: RequestTarget
    /// What the path's placeholders stand for.
    var parameters: [String: String] = [:]
    var caller: Caller
    var requestID: String
    /// Scheme, host and port under which the client knows the service, without a trailing slash.
    var base: String
    var connection: ConnectionContext
    var logger: Logger

    func header(_ name: String) -> String? {
        HTTPField.Name(name).flatMap { request.headers[$0] }
    }

    /// The image that the path names.
    ///
    /// - Parameter absence: The words in which these routes say that there is no image of an id.
    /// - Throws: `notFound` also for what cannot be an id.
    func imageID(
        absence: (String) -> String = { "No image found with ID \($0)" }
    ) throws(ServiceError) -> ImageID {
        let text = parameters["id"] ?? ""
        guard let id = ImageID(text) else { throw ServiceError(.notFound, absence(String(text.prefix(64)))) }
        return id
    }

    /// Whether a body follows (Image API v2, "Request bodies").
    var hasBody: Bool {
        if let length = request.headers[.contentLength].flatMap({ Int64($0) }) { return length > 0 }
        return request.headers[.transferEncoding] != nil
            && [.post, .put, .patch].contains(request.method)
    }

    func requireNoBody() throws(ServiceError) {
        guard !hasBody else { throw ServiceError(.invalidRequest, "A body is not expected with this request.") }
    }

    /// Documents are small; images travel elsewhere.
    static let documentLimit = 1 << 20

    /// The request's JSON document: an object or an array.
    ///
    /// - Throws: `invalidRequest`; `limitExceeded` beyond ``documentLimit``.
    func document() async throws -> JSONValue {
        guard hasBody else { throw ServiceError(.invalidRequest, "Body expected in request.") }
        let tooLarge = ServiceError(.limitExceeded, "The request body is larger than \(Self.documentLimit) bytes.")
        if let length = request.headers[.contentLength].flatMap({ Int64($0) }), length > Self.documentLimit {
            throw tooLarge
        }
        connection.willReadBody()
        var bytes: [UInt8] = []
        var chunks = request.body.makeAsyncIterator()
        while let chunk = try await Self.next(&chunks) {
            bytes.append(contentsOf: chunk.readableBytesView)
            guard bytes.count <= Self.documentLimit else { throw tooLarge }
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw ServiceError(
                .invalidRequest,
                "Error decoding your request. Either the URL or the request body contained characters that could not be decoded by Glance"
            )
        }
        let document: JSONValue
        do {
            document = try JSONValue(parsing: bytes)
        } catch {
            throw ServiceError(
                .invalidRequest,
                "Malformed JSON in request body. At byte \(error.offset): \(error.reason)."
            )
        }
        guard !document.holdsNull else {
            throw ServiceError(
                .invalidRequest,
                "A text in the request body holds a null character, which cannot be kept."
            )
        }
        switch document {
        case .object, .array: return document
        default: throw ServiceError(.invalidRequest, "Unexpected body type. Expected list/dict.")
        }
    }

    private static func next(_ chunks: inout RequestBody.AsyncIterator) async throws -> ByteBuffer? {
        do {
            return try await chunks.next()
        } catch {
            throw brokenBody(error)
        }
    }

    /// A body that is not well-formed, or that ended before its end.
    static func brokenBody(_ cause: (any Error)?) -> ServiceError {
        ServiceError(.invalidRequest, "The request's body is malformed, or it ended early.", cause: cause)
    }

    /// The request's JSON document where only an object will do.
    func objectDocument() async throws -> JSONObject {
        guard let object = try await document().objectValue else {
            throw ServiceError(.invalidRequest, "Unexpected body type. Expected a JSON object.")
        }
        return object
    }
}

extension Response {
    static func json(_ status: HTTPResponse.Status, _ bytes: [UInt8], headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// Success without content, with the type that the reference sends along.
    static func empty(_ status: HTTPResponse.Status = .noContent) -> Response {
        Response(status: status, headers: [.contentType: "text/html; charset=UTF-8"])
    }
}
