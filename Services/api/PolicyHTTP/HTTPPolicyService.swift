internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import OutgoingHTTP
public import Policy
public import PolicyLanguage
internal import Synchronization
internal import WireJSON

/// Asks other services over HTTP, as oslo.policy does: a POST of rule, target and credentials, allowed by an answer of
/// `True`, in quotes or not, and by nothing else.
///
/// Every question has a bound of time and the answer one of size, and so many are open at a time. After three failures in
/// a row nobody is asked for a second, so that a service that is away does not keep every request for as long as it may
/// take.
public final class HTTPPolicyService: PolicyService {
    /// The answer is a word.
    private static let answerLimit = 64 << 10
    private static let failureLimit = 3
    private static let rest = Duration.seconds(1)

    private let client: LazyHTTPClient
    private let timeout: TimeAmount
    private let sendsJSON: Bool
    private let outage = Mutex(Outage())
    private let open = OpenQuestions()

    private struct Outage {
        var failureCount = 0
        var restsUntil: ContinuousClock.Instant?
    }

    /// - Throws: where a certificate cannot be read.
    public init(_ settings: PolicyServiceSettings) throws {
        timeout = .nanoseconds(Int64(settings.timeout / .nanoseconds(1)))
        sendsJSON = settings.sendsJSON
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try Self.tls(settings),
            redirectConfiguration: .disallow,
            timeout: .init(connect: timeout),
            decompression: .disabled
        )
        configuration.httpVersion = .http1Only
        // A question that hangs must not keep the connection that another project's waits for.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = OpenQuestions.limit
        client = LazyHTTPClient(configuration)
    }

    /// To be called once, when nobody asks any more.
    public func shutdown() async throws { try await client.shutdown() }

    private static func tls(_ settings: PolicyServiceSettings) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if !settings.verifiesServers { tls.certificateVerification = .none }
        if let path = settings.authorities {
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(path))
        }
        if let certificate = settings.certificate, let key = settings.key {
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
        }
        return tls
    }

    public func allows(_ question: PolicyQuestion) throws(PolicyFault) -> Bool {
        let isResting = outage.withLock { $0.restsUntil.map { ContinuousClock.now < $0 } ?? false }
        guard !isResting else { throw Self.outage("it failed a moment ago and is not asked again yet", question) }
        let request = try request(question)
        return try open.with(question) { () throws(PolicyFault) in try ask(request, for: question) }
    }

    private func ask(_ request: HTTPClient.Request, for question: PolicyQuestion) throws(PolicyFault) -> Bool {
        do {
            let answer = try ask(request)
            outage.withLock { $0 = Outage() }
            return answer
        } catch {
            outage.withLock { outage in
                outage.failureCount += 1
                if outage.failureCount >= Self.failureLimit { outage.restsUntil = .now + Self.rest }
            }
            throw Self.outage("\(error)", question)
        }
    }

    /// Without the address: what stands in it is the target's.
    private static func outage(_ reason: String, _ question: PolicyQuestion) -> PolicyFault {
        PolicyFault("another service decides on '\(question.rule)', and does not answer: \(reason)", isOutage: true)
    }

    /// - Throws: a fault that is no outage: what stands in the address may come from a client.
    private func request(_ question: PolicyQuestion) throws(PolicyFault) -> HTTPClient.Request {
        let (type, body) = sendsJSON ? question.document : question.form
        do {
            return try HTTPClient.Request(
                url: question.address,
                method: .POST,
                headers: ["Content-Type": type, "User-Agent": "glance"],
                body: .bytes(body)
            )
        } catch {
            throw PolicyFault("the address of the service that decides on '\(question.rule)' cannot be used: \(error)")
        }
    }

    private func ask(_ request: HTTPClient.Request) throws -> Bool {
        let delegate = ResponseAccumulator(request: request, maxBodySize: Self.answerLimit)
        guard let client = client.open() else { throw PolicyFault("the service is stopping", isOutage: true) }
        let response = try client.execute(request: request, delegate: delegate, deadline: .now() + timeout).wait()
        let text = response.body.map { String(buffer: $0) } ?? ""
        let bare = text.utf8.drop { $0 == UInt8(ascii: "\"") }.reversed().drop { $0 == UInt8(ascii: "\"") }
        return bare.reversed().elementsEqual("True".utf8)
    }
}
