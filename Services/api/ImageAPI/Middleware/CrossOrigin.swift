internal import HTTPTypes
internal import Hummingbird

/// Which web pages of other origins may use the API (`[cors]`, as oslo.middleware reads it). Without allowed origins
/// no answer is touched.
public struct CrossOrigin: Sendable {
    /// As browsers write them: `https://dashboard.example`. `*` stands for any.
    public var allowedOrigins: Set<String> = []
    public var allowsCredentials = true
    /// How long a browser may remember a preflight's answer, in seconds; 0 leaves it to the browser.
    public var maximumAge = 3600
    /// What a page's script may read and send, by the names of header fields, and how it may ask.
    public var exposedHeaders: [String] = []
    public var allowedMethods: [String] = []
    public var allowedHeaders: [String] = []

    public init() {}

    /// Allowed without being named (Fetch, "CORS-safelisted request-header", and what oslo.middleware adds).
    private static let simpleHeaders = [
        "Accept", "Accept-Language", "Content-Type", "Cache-Control", "Content-Language", "Expires", "Last-Modified",
        "Pragma",
    ]

    /// The answer to a browser that asks whether it may ask; `nil` for other requests, and for origins not allowed.
    ///
    /// It is 200 in any case; a method or header that is not allowed shows by the lack of what allows it.
    func preflight(_ request: Request) -> Response? {
        guard request.method == .options, let origin = origin(of: request),
            let method = request.headers[.accessControlRequestMethod]
        else { return nil }
        var response = Response(status: .ok)
        let asked = (request.headers[.accessControlRequestHeaders] ?? "").split(separator: ",")
            .map { String($0.filter { $0 != " " && $0 != "\t" }) }.filter { !$0.isEmpty }
        let allowed = Set((allowedHeaders + Self.simpleHeaders).map { $0.lowercased() })
        guard allowedMethods.contains(method), asked.allSatisfy({ allowed.contains($0.lowercased()) }) else {
            response.headers[.vary] = "Origin"
            return response
        }
        allow(origin, &response)
        if maximumAge > 0 { response.headers[.accessControlMaxAge] = String(maximumAge) }
        response.headers[.accessControlAllowMethods] = method
        if !asked.isEmpty { response.headers[.accessControlAllowHeaders] = asked.joined(separator: ",") }
        return response
    }

    /// Tells a browser that a page of an allowed origin may read this answer.
    func mark(_ response: inout Response, for request: Request) {
        guard let origin = origin(of: request) else { return }
        allow(origin, &response)
        if !exposedHeaders.isEmpty {
            response.headers[.accessControlExposeHeaders] = exposedHeaders.joined(separator: ",")
        }
    }

    /// The request's origin as it is allowed: itself, or `*`.
    private func origin(of request: Request) -> String? {
        guard !allowedOrigins.isEmpty, let origin = request.headers[.origin] else { return nil }
        if allowedOrigins.contains(origin) { return origin }
        return allowedOrigins.contains("*") ? "*" : nil
    }

    private func allow(_ origin: String, _ response: inout Response) {
        response.headers[.accessControlAllowOrigin] = origin
        if allowsCredentials { response.headers[.accessControlAllowCredentials] = "true" }
        response.headers[.vary] = response.headers[.vary].map { "\($0), Origin" } ?? "Origin"
    }
}
