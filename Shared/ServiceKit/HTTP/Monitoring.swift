internal import HTTPTypes
public import Hummingbird
internal import NIOCore

/// `/healthcheck` and `/metrics`, outside of everything else and without authentication.
public struct Monitoring: Sendable {
    /// Why the service should get no traffic; `nil` while it is fine.
    public typealias Check = @Sendable () async -> String?

    private let metrics: PrometheusMetrics
    private let check: Check

    public init(metrics: PrometheusMetrics, check: @escaping Check) {
        self.metrics = metrics
        self.check = check
    }

    /// The answer where the request is one for monitoring; `nil` otherwise.
    public func respond(to request: Request) async -> Response? {
        switch request.uri.path {
        case "/healthcheck": await health(request)
        case "/metrics" where request.method == .get:
            text(.ok, metrics.exposition(), contentType: "text/plain; version=0.0.4; charset=utf-8")
        default: nil
        }
    }

    /// Image API v2, healthcheck middleware: 200 and the reason, 503 when disabled; `HEAD` 204 or 503.
    private func health(_ request: Request) async -> Response? {
        let fault = await check()
        let reason = fault ?? "OK"
        let status: HTTPResponse.Status = fault == nil ? .ok : .serviceUnavailable
        switch request.method {
        case .head:
            return Response(status: fault == nil ? .noContent : .serviceUnavailable)
        case .get:
            let accept = request.headers[.accept] ?? ""
            if accept.contains("application/json") {
                return text(
                    status,
                    #"{"detailed": false, "reasons": ["\#(reason)"]}"#,
                    contentType: "application/json"
                )
            }
            if accept.contains("text/html") {
                return text(
                    status,
                    "<html><body><h1>\(reason)</h1></body></html>",
                    contentType: "text/html; charset=UTF-8"
                )
            }
            return text(status, reason, contentType: "text/plain; charset=UTF-8")
        default:
            var response = Response(status: .methodNotAllowed)
            response.headers[.allow] = "GET, HEAD"
            return response
        }
    }

    private func text(_ status: HTTPResponse.Status, _ body: String, contentType: String) -> Response {
        Response(
            status: status,
            headers: [.contentType: contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: body))
        )
    }
}
