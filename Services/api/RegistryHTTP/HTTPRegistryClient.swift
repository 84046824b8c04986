public import CoreMetrics
internal import Digests
internal import Glibc
public import ImageModel
public import Logging
public import NIOCore
internal import NIOHTTP1
public import RegistryContract
public import ServiceKit
internal import Synchronization
internal import WireJSON

/// The registry over HTTP/1.1 on keep-alive connections of its own: a general HTTP client costs as much again as the
/// exchange itself.
///
/// An exchange that came to nothing is repeated on another endpoint with growing pauses, for as long as the operation has
/// patience: reads change nothing, repeatable writes change nothing twice, and all others carry a key under which the
/// registries' database remembers the first.
public final class HTTPRegistryClient: RegistryClient {
    private let endpoints: RegistryEndpoints
    private let keys: @Sendable () -> RegistryKeys
    private let patience: RegistryPatience
    private let logger: Logger
    private let version = Atomic<Int>(RegistryProtocol.current)
    private let budget = Mutex(RetryBudget())
    private let retries: Counter

    /// - Parameters:
    ///   - endpoints: At least one.
    ///   - keys: Asked for each request: keys may change while the client is used.
    ///   - limits: Of each event loop, for each endpoint.
    ///   - tls: Needed where an endpoint has TLS.
    public init(
        endpoints: [RegistryEndpoint],
        keys: @escaping @Sendable () -> RegistryKeys,
        limits: RegistryConnectionLimits = RegistryConnectionLimits(),
        patience: RegistryPatience = RegistryPatience(),
        tls: TLSContext? = nil,
        group: any EventLoopGroup,
        logger: Logger,
        metrics: any MetricsFactory = MetricsSystem.factory
    ) async throws {
        precondition(tls != nil || !endpoints.contains(where: \.isTLS), "an endpoint with TLS needs a context")
        self.endpoints = try await RegistryEndpoints(
            endpoints,
            limits: limits,
            tls: tls,
            group: group,
            logger: logger,
            metrics: metrics
        )
        self.keys = keys
        self.patience = patience
        self.logger = logger
        retries = Counter(label: "registry_retries", dimensions: [], factory: metrics)
    }

    public func call<Operation: RegistryOperation>(
        _ operation: Operation,
        as caller: Caller,
        requestID: String
    ) async throws(RegistryError) -> Operation.Response {
        let envelope = RegistryEnvelope(
            caller: caller,
            requestID: requestID,
            idempotencyKey: Operation.effect == .once ? randomBytes(16).hexadecimal : nil,
            arguments: operation
        )
        let body = envelope.jsonBytes
        let answer = try await exchange(Operation.name, body, patience: patience.time(for: Operation.effect))
        do {
            return try Operation.Response(parsing: answer)
        } catch {
            logger.error("The registry's answer has not the shape that was agreed", metadata: ["error": "\(error)"])
            throw RegistryError(.internalError, "The registry's answer cannot be read")
        }
    }

    private func exchange(_ operation: String, _ body: [UInt8], patience: Duration) async throws(RegistryError)
        -> [UInt8]
    {
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        budget.withLock { $0.call() }
        var attempt = 0
        var tried: Set<Int> = []
        // Registries that would refuse it whenever they are asked.
        var refusing: Set<Int> = []
        // What a registry last said, which tells more than that time ran out on the last try.
        var words: RegistryError?
        let start = clock.now
        var times: [RegistryTimes] = []
        defer { RegistryShare.current?.add(clock.now - start, told: times) }
        while true {
            if tried.count == endpoints.endpoints.count { tried = refusing }
            let endpoint = endpoints.begin(avoiding: tried)
            tried.insert(endpoint)
            let spoken = version.load(ordering: .relaxed)
            // Half of the patience at most, so that another endpoint gets its turn.
            let time = min(patience / 2, max(.milliseconds(100), deadline - clock.now))
            let failure: RegistryError
            let (result, told) = await send(operation, body, to: endpoint, version: spoken, within: time)
            if let told { times.append(told) }
            switch result {
            case .answered(let bytes): return bytes
            case .refused(let error, let versions):
                failure = error
                if error.code == .unsupportedProtocol, settleVersion(versions, after: spoken) {
                    attempt += 1
                    continue
                }
                if error.isNodesOwn { refusing.insert(endpoint) }
                let mayAnotherAccept = error.isNodesOwn && refusing.count < endpoints.endpoints.count
                guard error.isRetryable || mayAnotherAccept else { throw error }
                if error.isRetryable { words = error }
            case .lost(let error):
                failure = error
                words = words ?? error
            }
            attempt += 1
            if failure.code == .overloaded, tried.count == endpoints.endpoints.count {
                guard budget.withLock({ $0.spend() }) else { throw failure }
            }
            let pause = pause(before: attempt, after: failure)
            guard clock.now + pause < deadline, !Task.isCancelled else { throw words ?? failure }
            retries.increment()
            // A cancelled sleep ends at once; the next failure then ends the loop.
            try? await clock.sleep(for: pause)
        }
    }

    /// The first repetition is at once: most often an idle connection was closed just then, or another registry is up.
    private func pause(before attempt: Int, after failure: RegistryError) -> Duration {
        if attempt == 1 || failure.isNodesOwn { return .zero }
        return .milliseconds(min(1_000, 20 << min(attempt, 6))) * .random(in: 0.5...1)
    }

    // MARK: One exchange

    private enum Result {
        case answered([UInt8])
        /// The registry's own words, and the versions that it speaks.
        case refused(RegistryError, versions: String?)
        /// Nothing came that could be read: the registry may or may not have acted.
        case lost(RegistryError)
    }

    private static let noAnswer = RegistryError(
        .unavailable,
        "The image registry does not answer; try again later."
    )

    private func send(
        _ operation: String,
        _ body: [UInt8],
        to endpoint: Int,
        version: Int,
        within time: Duration
    ) async -> (Result, RegistryTimes?) {
        let head = head(path: RegistryProtocol.pathPrefix + operation, body, version: version)
        do {
            let answer = try await endpoints.exchange(head, ByteBuffer(bytes: body), with: endpoint, within: time)
            let result = read(answer)
            endpoints.end(endpoint, outcome(of: result, answer))
            return (result, answer.times)
        } catch {
            endpoints.end(endpoint, outcome(of: error))
            logger.warning(
                "An exchange with the registry came to nothing",
                metadata: [
                    "operation": "\(operation)", "endpoint": "\(endpoints.endpoints[endpoint])", "error": "\(error)",
                ]
            )
            guard case RegistryConnectionError.tooManyWaiting = error else { return (.lost(Self.noAnswer), nil) }
            return (.lost(RegistryError(.overloaded, "Too many requests; try again later.")), nil)
        }
    }

    private func outcome(of result: Result, _ answer: RegistryAnswer) -> EndpointRoster.Outcome {
        switch result {
        case .lost: .broken
        case .refused(let error, _) where error.code == .overloaded: .overloaded
        case .refused(let error, _) where error.code == .unavailable: .unavailable
        // A refusal may close the connection for its own sake, such as a body that is too large.
        case .refused: .answered
        case .answered: answer.keepsAlive ? .answered : .leaving
        }
    }

    private func outcome(of error: any Error) -> EndpointRoster.Outcome {
        switch error {
        case RegistryConnectionError.notReached: .notReached
        case RegistryConnectionError.timedOut: .timedOut
        case RegistryConnectionError.tooManyWaiting: .notAsked
        default: .broken
        }
    }

    private func head(path: String, _ body: [UInt8], version: Int) -> HTTPRequestHead {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let signature = RequestSignature.make(
            with: keys().signing,
            method: "POST",
            path: path,
            version: version,
            body: body,
            timestamp: Int64(now.tv_sec),
            nonce: randomBytes(16).hexadecimal
        )
        return HTTPRequestHead(
            version: .http1_1,
            method: .POST,
            uri: path,
            headers: [
                "host": "registry",
                "content-type": "application/json",
                "content-length": String(body.count),
                RegistryProtocol.Header.version: String(version),
                RegistryProtocol.Header.keyID: signature.keyID,
                RegistryProtocol.Header.timestamp: String(signature.timestamp),
                RegistryProtocol.Header.nonce: signature.nonce,
                RegistryProtocol.Header.signature: signature.value,
            ]
        )
    }

    private func read(_ answer: RegistryAnswer) -> Result {
        if answer.status == 200 { return .answered(answer.body) }
        do {
            let error = try RegistryError(json: JSONValue(parsing: answer.body))
            if error.code == .unauthenticated {
                logger.error("The registry refuses our signature: compare key_file and the clocks of both services")
            }
            return .refused(error, versions: answer.versions)
        } catch {
            // Something else listens there, or a proxy answered.
            logger.error("The registry's address answers in another protocol", metadata: ["status": "\(answer.status)"])
            return .lost(Self.noAnswer)
        }
    }

    /// Whether there is another version that both sides speak; it is used from here on.
    private func settleVersion(_ offered: String?, after spoken: Int) -> Bool {
        guard let bounds = offered?.split(separator: "-").compactMap({ Int($0) }), bounds.count == 2,
            let common = RegistryProtocol.negotiated(theirOldest: bounds[0], theirCurrent: bounds[1])
        else { return false }
        version.store(common, ordering: .relaxed)
        return common != spoken
    }

    /// Closes idle connections. Running exchanges end by themselves or by their time-out.
    public func shutdown() async { await endpoints.shutdown() }
}

extension RegistryError {
    /// Whether it tells of this registry's keys, clock or release rather than of what was asked: another may do it.
    fileprivate var isNodesOwn: Bool { code == .unauthenticated || code == .unknownOperation }
}
