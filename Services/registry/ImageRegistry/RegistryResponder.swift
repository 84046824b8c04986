internal import CoreMetrics
internal import Digests
internal import HTTPTypes
public import Hummingbird
internal import ImageModel
public import Logging
internal import NIOCore
public import RegistryContract
internal import RegistryDatabase
public import ServiceKit
internal import WireJSON

/// The internal protocol's server: who may speak, which operation, what came of it.
public struct RegistryResponder: HTTPResponder {
    private let context: RegistryContext
    private let keys: @Sendable () -> RegistryKeys
    private let gate: ExchangeGate
    private let monitoring: Monitoring
    private let clocks: ClockWatch
    private let logger: Logger
    private let nonces = SeenNonces()
    private let handlers = RegistryHandlers.all
    private let times = ExchangeTimeMetrics()
    private let operations = TimerFamily("registry_operation", by: "operation", "outcome")

    /// - Parameters:
    ///   - keys: Asked for each request: keys may change while the registry serves.
    ///   - exchangeLimit: How many requests may be in the registry at a time; more are told to come back later.
    public init(
        context: RegistryContext,
        keys: @escaping @Sendable () -> RegistryKeys,
        exchangeLimit: Int = 1_024,
        monitoring: Monitoring,
        clocks: ClockWatch,
        logger: Logger
    ) {
        self.context = context
        self.keys = keys
        gate = ExchangeGate(limit: exchangeLimit)
        self.monitoring = monitoring
        self.clocks = clocks
        self.logger = logger
    }

    public func respond(to request: Request, context connection: ConnectionContext) async throws -> Response {
        if let response = await monitoring.respond(to: request, from: connection.peer) { return response }
        let clock = ContinuousClock()
        let start = clock.now
        var operation = "?"
        // Known once the request is found to come from an API: strangers are told no times.
        var waiter: Waiter?
        guard gate.enter() else {
            record(operation, Self.overloaded.code.rawValue, clock.now - start)
            return refusal(Self.overloaded)
        }
        defer { gate.leave() }
        do {
            let body = try await body(of: request, connection)
            try authenticate(request, body, from: connection.peer)
            operation = String(request.uri.path.dropFirst(RegistryProtocol.pathPrefix.count))
            guard let exchange = handlers.exchanges[operation] else {
                operation = "?"
                throw RegistryError(.unknownOperation, "This registry knows no such operation")
            }
            waiter = Waiter()
            waiter = try await self.waiter(for: request, exchange.effect, connection, since: start) ?? waiter
            let result = try await exchange.run(body, context, waiter)
            record(operation, "ok", clock.now - start)
            // What changes nothing, and what repeats every few seconds, is told only when asked for.
            logger.log(
                level: exchange.effect == .once ? .info : .debug,
                "Operation done",
                metadata: [
                    "operation": "\(operation)", "request.id": "\(result.requestID)",
                    "user": "\(result.caller.user ?? "-")", "project": "\(result.caller.project ?? "-")",
                ]
            )
            return timed(answer(.ok, result.answer), clock.now - start, waiter)
        } catch {
            let known = translate(error, operation)
            record(operation, known.code.rawValue, clock.now - start)
            return timed(refusal(known), clock.now - start, waiter)
        }
    }

    /// The answer with what it took.
    private func timed(_ response: Response, _ duration: Duration, _ waiter: Waiter?) -> Response {
        guard let waiter else { return response }
        let taken = RegistryTimes(total: duration, database: waiter.databaseTime)
        times.record(taken)
        var response = response
        response.headers[.glanceTimes] = taken.headerValue
        return response
    }

    private func body(of request: Request, _ connection: ConnectionContext) async throws -> [UInt8] {
        guard request.method == .post, request.uri.path.hasPrefix(RegistryProtocol.pathPrefix),
            request.uri.query == nil,
            request.headers[.glanceSignature] != nil
        else { throw Self.unauthenticated }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > RegistryProtocol.bodyLimit {
            throw RegistryError(.malformed, "The body is too large")
        }
        connection.willReadBody()
        var body: [UInt8] = []
        for try await chunk in request.body {
            body.append(contentsOf: chunk.readableBytesView)
            guard body.count <= RegistryProtocol.bodyLimit else {
                throw RegistryError(.malformed, "The body is too large")
            }
        }
        return body
    }

    /// Who waits for the answer; `nil` for an API of a release that does not tell how long.
    private func waiter(
        for request: Request,
        _ effect: RegistryEffect,
        _ connection: ConnectionContext,
        since start: ContinuousClock.Instant
    ) async throws -> Waiter? {
        guard let text = request.headers[.glancePatience] else { return nil }
        guard let milliseconds = Int64(text), (0...Self.longestPatience).contains(milliseconds) else {
            throw RegistryError(.malformed, "\(RegistryProtocol.Header.patience) must be a number of milliseconds")
        }
        let left = Duration.milliseconds(milliseconds) - (ContinuousClock.now - start)
        guard effect != .reads else { return Waiter(patience: left) }
        // A request that lay somewhere on its way is late by nobody's clock, but its sender has closed the connection.
        guard let presence = await connection.presence() else { return Waiter(patience: .zero) }
        return Waiter(patience: left) { presence.hasLeft }
    }

    /// A day, in milliseconds: what is more is no time to wait.
    private static let longestPatience: Int64 = 86_400_000

    private static let overloaded = RegistryError(.overloaded, "Too many requests; try again later.")

    /// The same answer to every kind of stranger: it tells nothing.
    private static let unauthenticated = RegistryError(.unauthenticated, "Unauthorized")

    private func authenticate(_ request: Request, _ body: [UInt8], from peer: Peer) throws {
        guard let keyID = request.headers[.glanceKeyID], let nonce = request.headers[.glanceNonce],
            let timestamp = request.headers[.glanceTimestamp].flatMap({ Int64($0) }),
            let value = request.headers[.glanceSignature],
            let version = request.headers[.glanceProtocol].flatMap({ Int($0) })
        else { throw Self.unauthenticated }
        let now = context.ownNow().microseconds / 1_000_000
        let signature = RequestSignature(keyID: keyID, timestamp: timestamp, nonce: nonce, value: value)
        guard
            signature.isGenuine(
                with: keys(),
                method: "POST",
                path: request.uri.path,
                version: version,
                body: body
            )
        else { throw Self.unauthenticated }
        // Also of one that is refused for it.
        clocks.record(.seconds(Double(now) - Double(timestamp)), to: .api, at: "\(peer)")
        guard signature.isFresh(at: now) else { throw Self.unauthenticated }
        switch nonces.insert(nonce, timestamp: timestamp, now: now, skew: RequestSignature.allowedSkewSeconds) {
        case .new: break
        case .repeated: throw Self.unauthenticated
        case .full: throw Self.overloaded
        }
        guard (RegistryProtocol.oldest...RegistryProtocol.current).contains(version) else {
            throw RegistryError(.unsupportedProtocol, "This registry does not speak version \(version) of the protocol")
        }
    }

    private func translate(_ error: any Error, _ operation: String) -> RegistryError {
        switch error {
        case let error as RegistryError:
            return error
        case let error as DatabaseError where error.code == .unstorableText:
            return RegistryError(.invalid, "Text must not contain the character U+0000")
        case let error as DatabaseError:
            if error.code == .overloaded { return Self.overloaded }
            logger.error("The database refused", metadata: ["operation": "\(operation)", "error": "\(error)"])
            guard error.isRetryable else { return RegistryError(.internalError, "The image registry failed") }
            return error.code == .busy
                ? RegistryError(.unavailable, "Other work keeps the image records locked; try again later.")
                : RegistryError(.unavailable, "The image registry is busy; try again later.")
        default:
            logger.error("An operation failed", metadata: ["operation": "\(operation)", "error": "\(error)"])
            return RegistryError(.internalError, "The image registry failed")
        }
    }

    private func refusal(_ error: RegistryError) -> Response {
        var response = answer(HTTPResponse.Status(code: error.httpStatus), error.jsonBytes)
        if error.isRetryable { response.headers[.retryAfter] = "1" }
        return response
    }

    private func answer(_ status: HTTPResponse.Status, _ body: [UInt8]) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: "application/json",
                .glanceProtocol: "\(RegistryProtocol.oldest)-\(RegistryProtocol.current)",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body))
        )
    }

    private func record(_ operation: String, _ outcome: String, _ duration: Duration) {
        operations.record(duration, operation, outcome)
    }
}

extension HTTPField.Name {
    fileprivate static func registry(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("the protocol's header names are tokens") }
        return name
    }

    fileprivate static let glanceKeyID = registry(RegistryProtocol.Header.keyID)
    fileprivate static let glanceTimestamp = registry(RegistryProtocol.Header.timestamp)
    fileprivate static let glanceNonce = registry(RegistryProtocol.Header.nonce)
    fileprivate static let glanceSignature = registry(RegistryProtocol.Header.signature)
    fileprivate static let glanceTimes = registry(RegistryProtocol.Header.times)
    fileprivate static let glancePatience = registry(RegistryProtocol.Header.patience)
    fileprivate static let glanceProtocol = registry(RegistryProtocol.Header.version)
}
