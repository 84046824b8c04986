internal import Digests
internal import Glibc
public import ImageModel
public import Logging
public import NIOCore
internal import NIOHTTP1
public import RegistryContract
internal import ServiceKit
internal import Synchronization
internal import WireJSON

/// The registry over HTTP/1.1 on keep-alive connections of its own: a general HTTP client costs as much again as the
/// exchange itself.
///
/// An exchange that came to nothing is repeated on the next endpoint with growing pauses, for as long as the operation has
/// patience: reads change nothing, repeatable writes change nothing twice, and all others carry a key under which the
/// registry remembers the first.
public final class HTTPRegistryClient: RegistryClient {
    private let endpoints: [RegistryEndpoint]
    private let keys: RegistryKeys
    private let group: any EventLoopGroup
    private let logger: Logger
    /// A pool per endpoint for every event loop, each touched on its own loop only.
    private let pools: [ObjectIdentifier: NIOLoopBound<[RegistryConnectionPool]>]
    private let turn = Atomic<Int>(0)
    private let version = Atomic<Int>(RegistryProtocol.current)

    public init(endpoints: [RegistryEndpoint], keys: RegistryKeys, group: any EventLoopGroup, logger: Logger)
        async throws
    {
        precondition(!endpoints.isEmpty, "a client needs a registry")
        self.endpoints = endpoints
        self.keys = keys
        self.group = group
        self.logger = logger
        var pools: [ObjectIdentifier: NIOLoopBound<[RegistryConnectionPool]>] = [:]
        for eventLoop in group.makeIterator() {
            pools[ObjectIdentifier(eventLoop)] = try await eventLoop.submit {
                NIOLoopBound(
                    endpoints.map { RegistryConnectionPool(endpoint: $0, eventLoop: eventLoop) },
                    eventLoop: eventLoop
                )
            }.get()
        }
        self.pools = pools
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
        let answer = try await exchange(Operation.name, body, patience: Operation.effect.patience)
        do {
            return try Operation.Response(json: JSONValue(parsing: answer))
        } catch {
            logger.error("The registry's answer has not the shape that was agreed", metadata: ["error": "\(error)"])
            throw RegistryError(.internalError, "The registry's answer cannot be read")
        }
    }

    private func exchange(_ operation: String, _ body: [UInt8], patience: Duration) async throws(RegistryError)
        -> [UInt8]
    {
        let path = RegistryProtocol.pathPrefix + operation
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        let first = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        var attempt = 0
        while true {
            var failure: RegistryError
            do {
                let endpoint = abs(first &+ attempt) % endpoints.count
                let spoken = version.load(ordering: .relaxed)
                let answer = try await send(path, body, to: endpoint, version: spoken, timeout: patience / 2)
                if answer.status == 200 { return answer.body }
                failure = try readError(answer)
                if failure.code == .unsupportedProtocol, settleVersion(answer.versions, after: spoken) {
                    attempt += 1
                    continue
                }
                guard failure.isRetryable else { throw failure }
            } catch let error as RegistryError {
                guard error.isRetryable else { throw error }
                failure = error
            } catch {
                logger.warning(
                    "An exchange with the registry came to nothing",
                    metadata: ["operation": "\(operation)", "attempt": "\(attempt)", "error": "\(error)"]
                )
                failure = RegistryError(.unavailable, "The image registry does not answer; try again later.")
            }
            attempt += 1
            // The first repetition is at once: most often an idle connection was closed just then.
            let pause: Duration =
                attempt == 1 ? .zero : .milliseconds(min(1_000, 20 << min(attempt, 6))) * .random(in: 0.5...1)
            guard clock.now + pause < deadline, !Task.isCancelled else { throw failure }
            // A cancelled sleep ends at once; the next failure then ends the loop.
            try? await clock.sleep(for: pause)
        }
    }

    private func send(_ path: String, _ body: [UInt8], to endpoint: Int, version: Int, timeout: Duration) async throws
        -> RegistryAnswer
    {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let signature = RequestSignature.make(
            with: keys.signing,
            method: "POST",
            path: path,
            version: version,
            body: body,
            timestamp: Int64(now.tv_sec),
            nonce: randomBytes(16).hexadecimal
        )
        let head = HTTPRequestHead(
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
        let eventLoop = group.any()
        guard let pools = pools[ObjectIdentifier(eventLoop)] else {
            preconditionFailure("an event loop group gives out its own loops")
        }
        return try await eventLoop.flatSubmit {
            pools.value[endpoint].exchange(head, ByteBuffer(bytes: body), timeout: TimeAmount(timeout))
        }.get()
    }

    private func readError(_ answer: RegistryAnswer) throws(RegistryError) -> RegistryError {
        do {
            let error = try RegistryError(json: JSONValue(parsing: answer.body))
            if error.code == .unauthenticated {
                logger.error("The registry refuses our signature: compare key_file and the clocks of both services")
            }
            return error
        } catch {
            // Something else listens there, or a proxy answered.
            logger.error("The registry's address answers in another protocol", metadata: ["status": "\(answer.status)"])
            return RegistryError(.unavailable, "The image registry does not answer; try again later.")
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
    public func shutdown() async {
        for eventLoop in group.makeIterator() {
            guard let pools = pools[ObjectIdentifier(eventLoop)] else { continue }
            // The loop may be gone already; then so are the connections.
            try? await eventLoop.submit { pools.value.forEach { $0.closeAll() } }.get()
        }
    }
}

extension RegistryEffect {
    /// How long an operation is repeated before the caller is told that the registry does not answer; one exchange may take
    /// half of it, so that another endpoint gets its turn. Writes wait longer: behind them stand an upload's bytes.
    fileprivate var patience: Duration {
        switch self {
        case .reads: .seconds(8)
        case .repeatable, .once: .seconds(20)
        }
    }
}
