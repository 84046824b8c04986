internal import HTTPTypes
internal import Hummingbird

/// Which web pages of other origins may use the API (`[cors]` and `[cors.<name>]`, as oslo.middleware reads them).
/// Without allowed origins no answer is touched.
public struct CrossOrigin: Sendable {
    /// In the order of the configuration: the first that names an origin counts for it, and `*` where none does.
    public var rules: [Rules]

    public init(_ rules: [Rules] = []) { self.rules = rules }

    /// The answer to a browser that asks whether it may ask; `nil` for other requests, and for origins not allowed.
    func preflight(_ request: Request) -> Response? {
        guard request.method == .options, let method = request.headers[.accessControlRequestMethod] else { return nil }
        return allowance(for: request).map { $0.rules.preflight(of: $0.origin, method, request) }
    }

    /// Tells a browser that a page of an allowed origin may read this answer.
    func mark(_ response: inout Response, for request: Request) {
        if let (rules, origin) = allowance(for: request) { rules.mark(&response, for: origin) }
    }

    /// The request's origin as it is allowed, itself or `*`, and under which rules.
    private func allowance(for request: Request) -> (rules: Rules, origin: String)? {
        guard !rules.isEmpty, let origin = request.headers[.origin] else { return nil }
        for allowed in [origin, "*"] {
            if let found = rules.first(where: { $0.allowedOrigins.contains(allowed) }) {
                return (Self.isOfUploads(request) ? found.addingUploads : found, allowed)
            }
        }
        return nil
    }

    /// Resumable uploads have header fields and methods that no configuration knows of.
    private static func isOfUploads(_ request: Request) -> Bool {
        let parts = request.uri.path.split(separator: "/")
        return parts.count >= 4 && parts[1] == "images" && parts[3] == "uploads"
    }
}

extension CrossOrigin {
    /// What the pages of some origins may.
    public struct Rules: Sendable {
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
            "Accept", "Accept-Language", "Content-Type", "Cache-Control", "Content-Language", "Expires",
            "Last-Modified",
            "Pragma",
        ]

        /// It is 200 in any case; a method or header that is not allowed shows by the lack of what allows it.
        fileprivate func preflight(of origin: String, _ method: String, _ request: Request) -> Response {
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

        fileprivate func mark(_ response: inout Response, for origin: String) {
            allow(origin, &response)
            if !exposedHeaders.isEmpty {
                response.headers[.accessControlExposeHeaders] = exposedHeaders.joined(separator: ",")
            }
        }

        /// These rules, and what pages need for the tus protocol.
        fileprivate var addingUploads: Rules {
            var rules = self
            rules.allowedMethods += ["HEAD", "POST", "PATCH", "DELETE"]
            rules.allowedHeaders += [
                "Tus-Resumable", "Upload-Length", "Upload-Offset", "Upload-Metadata", "Upload-Checksum",
                "Upload-Concat", "x-image-meta-store", "x-openstack-image-hash-algo", "x-openstack-image-hash-value",
                "x-openstack-image-checksum",
            ]
            rules.exposedHeaders += [
                "Location", "Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm",
                "Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Expires", "Upload-Concat",
            ]
            return rules
        }

        private func allow(_ origin: String, _ response: inout Response) {
            response.headers[.accessControlAllowOrigin] = origin
            if allowsCredentials { response.headers[.accessControlAllowCredentials] = "true" }
            response.headers[.vary] = response.headers[.vary].map { "\($0), Origin" } ?? "Origin"
        }
    }
}
