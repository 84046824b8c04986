internal import HTTPTypes
public import Hummingbird
internal import NIOCore

/// The health check and `/metrics`, outside of everything else: who may ask is told by where they ask from.
public struct Monitoring: Sendable {
    /// Why the service should get no traffic; `nil` while it is fine.
    public typealias Check = @Sendable () async -> HealthFault?

    private let metrics: PrometheusMetrics
    private let readers: MetricsReaders
    private let health: HealthCheck
    private let draining: Draining?
    private let check: Check

    public init(
        metrics: PrometheusMetrics,
        readers: MetricsReaders = MetricsReaders(),
        health: HealthCheck = HealthCheck(),
        draining: Draining? = nil,
        check: @escaping Check
    ) {
        self.metrics = metrics
        self.readers = readers
        self.health = health
        self.draining = draining
        self.check = check
    }

    /// The answer where the request is one for monitoring; `nil` otherwise.
    public func respond(to request: Request, from peer: Peer) async -> Response? {
        switch request.uri.path {
        case health.path:
            guard health.mayAsk(request.headers, peer: peer) else { return notFound(request) }
            let fault = draining?.isDraining == true ? HealthFault("SHUTTING DOWN") : await check()
            return health.response(to: request.method, accept: request.headers[.accept], fault: fault)
        case "/metrics" where request.method == .get:
            guard readers.mayRead(request.headers, peer: peer) else { return notFound(request) }
            return text(.ok, metrics.exposition(), contentType: "text/plain; version=0.0.4; charset=utf-8")
        default:
            return nil
        }
    }

    private func notFound(_ request: Request) -> Response {
        let body = "404 Not Found\n\nThe resource could not be found.\n\n   "
        return text(.notFound, request.method == .head ? "" : body, contentType: "text/plain; charset=UTF-8")
    }

    private func text(_ status: HTTPResponse.Status, _ body: String, contentType: String) -> Response {
        Response(
            status: status,
            headers: [.contentType: contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: body))
        )
    }
}
