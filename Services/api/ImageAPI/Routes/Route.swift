internal import HTTPTypes
internal import Hummingbird
internal import ImageModel

/// One method on one path, and what answers it.
struct Route: Sendable {
    typealias Handler = @Sendable (APIRequest) async throws -> Response

    var method: HTTPRequest.Method
    /// Segments behind the version; `{name}` stands for any one segment.
    var template: [String]
    /// Whether other methods on its path are told of it by 405 and `Allow`. The reference keeps a few routes to itself:
    /// where no other is advertised, other methods get 404.
    var isAdvertised: Bool
    /// Header fields of each of its answers, refusals included.
    var fields: HTTPFields
    /// Whether a request computes or copies for so long that it has to leave its connection's event loop to others.
    var isLong: @Sendable (APIRequest) -> Bool
    var handler: Handler

    init(
        _ method: HTTPRequest.Method,
        _ path: String,
        isAdvertised: Bool = true,
        fields: HTTPFields = [:],
        isLong: @escaping @Sendable (APIRequest) -> Bool = { _ in false },
        _ handler: @escaping Handler
    ) {
        self.method = method
        self.isAdvertised = isAdvertised
        self.fields = fields
        self.isLong = isLong
        template = path.split(separator: "/").map(String.init)
        self.handler = handler
    }

    var path: String { "/" + template.joined(separator: "/") }
}

/// All routes of the API. No trailing slash is forgiven and `HEAD` does not follow from `GET`, as in the reference.
struct RouteTable: Sendable {
    enum Match {
        case route(Route, parameters: [String: String])
        case wrongMethod(allowed: [HTTPRequest.Method])
        /// The path is there for other methods, none of which is advertised.
        case concealed
        case unknown
    }

    let routes: [Route]
    /// Routes by their count of segments: few are left to compare.
    private let byLength: [Int: [Route]]

    init(_ routes: [Route]) {
        self.routes = routes
        byLength = Dictionary(grouping: routes, by: \.template.count)
    }

    func match(_ method: HTTPRequest.Method, _ segments: some Collection<String>) -> Match {
        var allowed: [HTTPRequest.Method] = []
        var isConcealed = false
        for route in byLength[segments.count] ?? [] {
            guard let parameters = Self.parameters(route.template, segments) else { continue }
            if route.method == method { return .route(route, parameters: parameters) }
            if route.isAdvertised { allowed.append(route.method) } else { isConcealed = true }
        }
        guard allowed.isEmpty else { return .wrongMethod(allowed: allowed) }
        return isConcealed ? .concealed : .unknown
    }

    private static func parameters(_ template: [String], _ segments: some Collection<String>) -> [String: String]? {
        var parameters: [String: String] = [:]
        for (part, segment) in zip(template, segments) {
            if part.hasPrefix("{") {
                guard !segment.isEmpty else { return nil }
                parameters[String(part.dropFirst().dropLast())] = segment
            } else if part != segment {
                return nil
            }
        }
        return parameters
    }
}
