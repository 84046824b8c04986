internal import CoreMetrics
internal import HTTPTypes
public import Hummingbird
internal import Identity
internal import ImageModel
internal import Logging
internal import NIOCore
internal import Policy
internal import RegistryContract
public import ServiceKit
internal import WireJSON

/// Every public request, top to bottom: monitoring, other origins, version, identity, route, answer. Failures become
/// answers here and nowhere else.
public struct ImageResponder: HTTPResponder {
    let settings: ImageAPISettings
    let identity: any IdentityProvider
    let policy: ImagePolicy
    let monitoring: Monitoring
    let versions: VersionDocument
    let table: RouteTable
    let policyThreads: PolicyThreads
    let logger: Logger
    let times = RequestTimeMetrics()
    let requests = TimerFamily("http_request", by: "method", "route", "status")

    public func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        if let response = await monitoring.respond(to: request, from: context.peer) { return response }
        if let response = settings.crossOrigin.preflight(request) { return response }
        let start = ContinuousClock.now
        let address = ClientAddress(
            of: request,
            peer: context.peer.address,
            isTLS: settings.isServedOverTLS,
            believesProxies: settings.believesProxyHeaders
        )
        var trace = Trace(client: address.client)
        let share = RegistryShare()
        var response: Response
        do {
            // Before identity, which asks who is an administrator.
            policy.followFiles()
            let base = settings.publicEndpoint ?? address.base
            response = try await RegistryShare.$current.withValue(share) {
                policy.mayBlock
                    ? try await withTaskExecutorPreference(policyThreads) {
                        try await answer(request, context, base: base, &trace)
                    }
                    : try await answer(request, context, base: base, &trace)
            }
        } catch {
            response = failure(error, request, trace)
        }
        if let id = trace.requestID { response.headers[.requestID] = id }
        response.headers.append(contentsOf: trace.fields)
        settings.crossOrigin.mark(&response, for: request)
        let duration = ContinuousClock.now - start
        times.record(duration, share: share.parts)
        record(request, response, trace, duration)
        return response
    }

    /// What is known of a request when it is answered, whatever became of it.
    private struct Trace {
        var client: String?
        /// `nil` until somebody was identified: earlier answers carry no id.
        var requestID: String?
        var caller: Caller?
        var route = "-"
        /// What the route has in each of its answers.
        var fields: HTTPFields = [:]
    }

    private func answer(
        _ request: Request,
        _ context: ConnectionContext,
        base: String,
        _ trace: inout Trace
    ) async throws -> Response {
        let target = try RequestTarget(request.head.path ?? "/")
        guard let segments = versioned(target, request) else {
            let isList = target.segments.first == "versions"
            return .json(isList ? .ok : .multipleChoices, request.method == .head ? [] : versions.bytes(base: base))
        }
        let requestID = try requestID(of: request)
        var caller = try await identity.identify(credentials(of: request, target, context))
        // Identity judged by roles alone, and the rule may ask for more of a caller. Under noauth it is not asked.
        if !(identity is NoAuthIdentity) { caller.isAdmin = policy.isAdmin(caller) }
        trace.requestID = requestID
        trace.caller = caller
        if segments.isEmpty {
            return Response(status: .found, headers: [.location: "\(base)/v2/"])
        }
        switch table.match(request.method, segments) {
        case .route(let route, let parameters):
            trace.route = route.path
            trace.fields = route.fields
            let request = APIRequest(
                request: request,
                target: target,
                parameters: parameters,
                caller: caller,
                requestID: requestID,
                base: base,
                connection: context,
                logger: logger
            )
            // Where policy may block the request has a thread of its own already.
            let leavesLoop = !policy.mayBlock && route.isLong(request)
            return try await withTaskExecutorPreference(leavesLoop ? globalConcurrentExecutor : nil) {
                try await route.handler(request)
            }
        case .wrongMethod(let allowed):
            var response = ErrorDocument(
                status: .methodNotAllowed,
                explanation: "The method \(request.method.rawValue) is not allowed for this resource."
            ).response(accept: request.headers[.accept], isHead: request.method == .head)
            response.headers[.allow] = allowed.map(\.rawValue).joined(separator: ", ")
            return response
        case .concealed:
            return notFound.response(accept: request.headers[.accept], isHead: request.method == .head)
        case .unknown:
            let isKnownMethod = [.get, .head, .post, .put, .delete, .patch].contains(request.method)
            let document =
                isKnownMethod
                ? notFound
                : ErrorDocument(
                    status: .notImplemented,
                    explanation: "The request method \(request.method.rawValue) is not implemented for this server."
                )
            return document.response(accept: request.headers[.accept], isHead: request.method == .head)
        }
    }

    private func credentials(
        of request: Request,
        _ target: RequestTarget,
        _ context: ConnectionContext
    ) -> RequestCredentials {
        var credentials = RequestCredentials(
            method: request.method.rawValue,
            path: "/" + target.segments.joined(separator: "/"),
            headers: request.headers,
            peer: context.peer
        )
        credentials.hasClientCertificate = settings.requiresClientCertificates
        return credentials
    }

    private var notFound: ErrorDocument {
        ErrorDocument(status: .notFound, explanation: "The resource could not be found.")
    }

    /// The path behind the version, or `nil` where the answer is the list of versions.
    private func versioned(_ target: RequestTarget, _ request: Request) -> ArraySlice<String>? {
        let vendorType = "application/vnd.openstack.images-"
        if target.segments.first == "versions" { return nil }
        if let accept = request.headers[.accept], accept.hasPrefix(vendorType) {
            return versions.accepts(accept.dropFirst(vendorType.count)) ? target.segments[...] : nil
        }
        guard let first = target.segments.first, versions.accepts(first) else { return nil }
        return target.segments.dropFirst()
    }

    private func requestID(of request: Request) throws(ServiceError) -> String {
        guard let given = request.headers[.requestID], !given.isEmpty else { return RequestID.make() }
        let limit = settings.maximumRequestIDLength
        guard limit == 0 || given.utf8.count <= limit else {
            throw ServiceError(.headerTooLarge, "x-openstack-request-id is too long, max size \(limit)")
        }
        return RequestID.adopt(given)
    }

    private func failure(_ error: any Error, _ request: Request, _ trace: Trace) -> Response {
        let known =
            error as? ServiceError
            ?? ServiceError(
                .internalError,
                "The server has either erred or is incapable of performing the requested operation.",
                cause: error
            )
        switch known.code {
        case .internalError, .unavailable:
            logger.error(
                "A request failed",
                metadata: metadata(trace, ["route": "\(trace.route)", "error": "\(known.cause ?? known)"])
            )
        case .forbidden, .unauthenticated:
            logRefusal(known, trace)
        default:
            // What policy hides looks like what is not there; the log knows.
            if known.cause is PolicyRefusal { logRefusal(known, trace) }
        }
        var response = ErrorDocument(status: known.code.status, explanation: known.message)
            .response(accept: request.headers[.accept], isHead: request.method == .head)
        if known.code == .unauthenticated { response.headers[.wwwAuthenticate] = identity.challenge }
        if known.code == .unavailable { response.headers[.retryAfter] = "5" }
        if known.cause is UnsupportedPatchType { response.headers[.acceptPatch] = PatchDialect.accepted }
        return response
    }

    private func logRefusal(_ error: ServiceError, _ trace: Trace) {
        logger.info(
            "A request was refused",
            metadata: metadata(
                trace,
                ["route": "\(trace.route)", "reason": "\(error.cause.map { "\($0)" } ?? error.message)"]
            )
        )
    }

    private func record(_ request: Request, _ response: Response, _ trace: Trace, _ duration: Duration) {
        requests.record(duration, request.method.rawValue, trace.route, String(response.status.code))
        let (seconds, attoseconds) = duration.components
        // Reads are the bulk and change nothing: they are told only when asked for.
        let level: Logger.Level = request.method == .get && response.status.code < 400 ? .debug : .info
        logger.log(
            level: level,
            "\(request.method.rawValue) request",
            metadata: metadata(
                trace,
                [
                    "path": "\(request.uri.path)", "status": "\(response.status.code)",
                    "duration_ms": "\(seconds * 1_000 + attoseconds / 1_000_000_000_000_000)",
                ]
            )
        )
    }

    private func metadata(_ trace: Trace, _ more: Logger.Metadata) -> Logger.Metadata {
        var metadata = more
        metadata["request.id"] = "\(trace.requestID ?? "-")"
        metadata["client"] = "\(trace.client ?? "-")"
        metadata["user"] = "\(trace.caller?.user ?? "-")"
        metadata["project"] = "\(trace.caller?.project ?? "-")"
        return metadata
    }
}

extension HTTPField.Name {
    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is a token") }
        return name
    }

    static let requestID = known("x-openstack-request-id")
    static let acceptPatch = known("Accept-Patch")
    static let contentMD5 = known("Content-MD5")
}
