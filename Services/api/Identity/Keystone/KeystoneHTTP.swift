internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import OutgoingHTTP

/// Exchanges with Keystone: bounded in time, size and number of tries.
final class KeystoneHTTP: Sendable {
    /// A token document with a catalogue of hundreds of services.
    private static let answerLimit = 4 << 20
    private let client: LazyHTTPClient
    private let exchangeTimeout: Duration
    private let retryLimit: Int

    struct Answer: Sendable {
        var status: Int
        /// `X-Subject-Token`: the token that was made.
        var token: String?
        var body: [UInt8]
    }

    /// - Throws: `malformed` for certificates that cannot be read.
    init(_ settings: KeystoneSettings) throws(KeystoneFailure) {
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try Self.tls(settings.tls),
            redirectConfiguration: .disallow,
            timeout: .init(connect: .milliseconds(Int64(settings.exchangeTimeout / .milliseconds(1)))),
            connectionPool: .init(
                idleTimeout: .seconds(30),
                concurrentHTTP1ConnectionsPerHostSoftLimit: settings.callLimit
            ),
            decompression: .disabled
        )
        configuration.httpVersion = .http1Only
        client = LazyHTTPClient(configuration)
        exchangeTimeout = settings.exchangeTimeout
        retryLimit = settings.retryLimit
    }

    /// To be called once, when nobody asks any more.
    func shutdown() async throws { try await client.shutdown() }

    func get(_ url: String, _ headers: [(String, String)], until deadline: ContinuousClock.Instant)
        async throws(KeystoneFailure) -> Answer
    {
        var request = HTTPClientRequest(url: url)
        request.headers = Self.headers(headers)
        return try await send(request, until: deadline)
    }

    func post(_ url: String, _ body: [UInt8], until deadline: ContinuousClock.Instant)
        async throws(KeystoneFailure) -> Answer
    {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = Self.headers([("Content-Type", "application/json")])
        request.body = .bytes(ByteBuffer(bytes: body))
        return try await send(request, until: deadline)
    }

    private static func headers(_ more: [(String, String)]) -> HTTPHeaders {
        HTTPHeaders([("Accept", "application/json"), ("User-Agent", "glance")] + more)
    }

    /// Tries again where the connection failed, which all of these exchanges may: they change nothing but that another
    /// token is made.
    private func send(_ request: HTTPClientRequest, until deadline: ContinuousClock.Instant)
        async throws(KeystoneFailure) -> Answer
    {
        var pause = Duration.milliseconds(100)
        var failure = KeystoneFailure.timedOut
        for attempt in 0...retryLimit {
            let end = min(deadline, .now + exchangeTimeout)
            guard end > .now else { throw failure }
            do {
                return try await exchange(request, until: end)
            } catch {
                failure = error
                guard case .unreachable = error, attempt < retryLimit, deadline - .now > pause else { throw error }
            }
            // Cancellation ends the next exchange at once.
            try? await Task.sleep(for: pause)
            pause *= 2
        }
        throw failure
    }

    /// The client's own deadline ends the wait for the head, this one also a body that trickles.
    private func exchange(_ request: HTTPClientRequest, until end: ContinuousClock.Instant)
        async throws(KeystoneFailure) -> Answer
    {
        guard let client = client.open() else { throw .unreachable("the service is stopping") }
        let result = await withTaskGroup(of: Result<Answer, KeystoneFailure>?.self) { group in
            group.addTask { await Self.answer(client, request, until: end) }
            group.addTask {
                do {
                    try await Task.sleep(until: end)
                    return .failure(.timedOut)
                } catch {
                    return nil
                }
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first ?? .failure(.timedOut)
        }
        return try result.get()
    }

    private static func answer(
        _ client: HTTPClient,
        _ request: HTTPClientRequest,
        until end: ContinuousClock.Instant
    ) async -> Result<Answer, KeystoneFailure> {
        do {
            let left = Int64((end - .now) / .nanoseconds(1))
            let response = try await client.execute(request, deadline: .now() + .nanoseconds(max(left, 1)))
            let body = try await response.body.collect(upTo: answerLimit)
            return .success(
                Answer(
                    status: Int(response.status.code),
                    token: response.headers.first(name: "X-Subject-Token"),
                    body: Array(body.readableBytesView)
                )
            )
        } catch {
            return .failure(failure(for: error))
        }
    }

    private static func failure(for error: any Error) -> KeystoneFailure {
        switch error {
        case is CancellationError: .timedOut
        case is NIOTooManyBytesError: .malformed("it is longer than \(answerLimit) bytes")
        case let error as HTTPClientError:
            switch error {
            case .connectTimeout, .deadlineExceeded, .readTimeout, .getConnectionFromPoolTimeout, .cancelled: .timedOut
            default: .unreachable("\(error)")
            }
        case let error as IOError: .unreachable(String(cString: strerror(error.errnoCode)))
        case is NIOConnectionError: .unreachable("no address of it accepts a connection")
        default: .unreachable("\(type(of: error)): \(error)")
        }
    }

    private static func tls(_ files: KeystoneTLS) throws(KeystoneFailure) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        do {
            if let path = files.authorities {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(path))
            }
            if let path = files.certificate {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(path).map { .certificate($0) }
                configuration.privateKey = .privateKey(
                    try NIOSSLPrivateKey(file: files.key ?? path, format: .pem)
                )
            }
        } catch {
            throw .malformed("cafile, certfile or keyfile cannot be read as PEM")
        }
        if files.isInsecure { configuration.certificateVerification = .none }
        return configuration
    }
}
