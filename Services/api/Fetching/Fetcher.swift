internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// Fetches data from URLs that clients named, and only from where the operator lets it.
///
/// Every request, redirects included, is judged, its host is resolved once, and the connection goes to the very address
/// that was judged. Every wait is bounded: for a connection, for an answer, and for the next bytes of it.
public struct Fetcher: Sendable {
    /// How servers prove who they are.
    public enum Trust: Sendable, Equatable {
        /// By the system's certificate authorities.
        case system
        /// By those in a file of PEM certificates.
        case file(String)
        /// Not at all (`https_insecure`).
        case anybody
    }

    public struct Proxy: Sendable, Equatable {
        public var host: String
        public var port: Int

        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    public var rules: FetchRules
    public var trust: Trust
    /// By scheme. A proxy resolves names itself: the rules then see the URL alone.
    public var proxies: [String: Proxy]
    public var connectSeconds = 10
    /// For the head of an answer, and for each next piece of its body.
    public var idleSeconds = 30

    static let redirectLimit = 5

    public init(rules: FetchRules, trust: Trust = .system, proxies: [String: Proxy] = [:]) {
        self.rules = rules
        self.trust = trust
        self.proxies = proxies
    }

    /// How many bytes there are, without moving them.
    ///
    /// - Throws: ``FetchError``; `badAnswer` where the source does not say.
    public func byteCount(of text: String) async throws(FetchError) -> Int64 {
        let answer: FetchedData
        do throws(FetchError) {
            answer = try await fetch(text, .HEAD, range: nil)
        } catch {
            // A source that knows GET alone is a source.
            guard error.code == .badAnswer, (error.cause as? UnexpectedStatus)?.isAboutMethod == true else {
                throw error
            }
            answer = try await fetch(text, .GET, range: nil)
        }
        answer.close()
        return answer.totalByteCount
    }

    /// Opens data for reading; whoever asked closes it.
    ///
    /// - Parameter range: The bytes wanted; all when `nil`.
    /// - Throws: ``FetchError``; `tooShort` when there are fewer bytes than `range` wants.
    public func open(_ text: String, range: Range<Int64>?) async throws(FetchError) -> FetchedData {
        // Nothing can be asked for only in whole (RFC 9110 §14.1.2).
        let asked = range.flatMap { $0.isEmpty ? nil : $0 }
        let data = try await fetch(text, .GET, range: asked)
        guard let range else { return data }
        guard range.upperBound <= data.totalByteCount else {
            data.close()
            throw FetchError(.tooShort, "The source has fewer bytes than were wanted.")
        }
        return data.part(range)
    }

    private func fetch(
        _ text: String,
        _ method: HTTPMethod,
        range: Range<Int64>?
    ) async throws(FetchError) -> FetchedData {
        guard let first = FetchURL(text) else {
            throw FetchError(.malformed, "The URL is not one that can be fetched.")
        }
        // For all hops together.
        let deadline = NIODeadline.now() + .seconds(Int64(idleSeconds))
        var url = first
        for _ in 0...Self.redirectLimit {
            let (answer, session) = try await send(url, method, range, credentials(of: first, for: url), deadline)
            let location = answer.headers.first(name: "location")
            guard [301, 302].contains(answer.status.code), let location else {
                do throws(FetchError) {
                    return try FetchedData(answer, session: session, isHead: method == .HEAD, asked: range)
                } catch {
                    session.close()
                    throw error
                }
            }
            session.close()
            guard let next = url.redirected(to: location) else {
                throw FetchError(.refused, "The source redirects to a URL that cannot be fetched.")
            }
            url = next
        }
        throw FetchError(.badAnswer, "The source redirects more than \(Self.redirectLimit) times.")
    }

    /// What a URL says of its user is for that server alone, wherever it redirects to.
    private func credentials(of first: FetchURL, for url: FetchURL) -> String? {
        url.credentials ?? (url.hasSameOrigin(as: first) ? first.credentials : nil)
    }

    private func send(
        _ url: FetchURL,
        _ method: HTTPMethod,
        _ range: Range<Int64>?,
        _ credentials: String?,
        _ deadline: NIODeadline
    ) async throws(FetchError) -> (HTTPClientResponse, FetchSession) {
        try rules.requireAllowed(url)
        var request = HTTPClientRequest(url: url.text)
        request.method = method
        request.headers.add(name: "accept", value: "*/*")
        request.headers.add(name: "accept-encoding", value: "identity")
        request.headers.add(name: "user-agent", value: "glance-api")
        if let range { request.headers.add(name: "range", value: "bytes=\(range.lowerBound)-\(range.upperBound - 1)") }
        if let credentials { request.setBasicAuth(credentials) }
        let session = FetchSession(try await configuration(for: url))
        do {
            let answer = try await session.client.execute(request, deadline: deadline)
            return (answer, session)
        } catch {
            session.close()
            throw FetchError(.unavailable, "The source does not answer.", cause: error)
        }
    }

    private func configuration(for url: FetchURL) async throws(FetchError) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = HTTPClient.Configuration.Timeout(
            connect: .seconds(Int64(connectSeconds)),
            read: .seconds(Int64(idleSeconds))
        )
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        if url.scheme == "https" { configuration.tlsConfiguration = tls }
        if let proxy = proxies[url.scheme] {
            configuration.proxy = .server(host: proxy.host, port: proxy.port)
        } else {
            configuration.dnsOverride[url.host] = try await address(of: url).text
        }
        return configuration
    }

    private func address(of url: FetchURL) async throws(FetchError) -> HostAddress {
        let addresses: [HostAddress]
        if let address = HostAddress(url.host) {
            addresses = [address]
        } else {
            do {
                addresses = try await NIOThreadPool.singleton.runIfActive { HostAddress.resolve(url.host) }
            } catch {
                throw FetchError(.unavailable, "The source's name cannot be looked up.", cause: error)
            }
        }
        return try rules.requireAllowed(addresses, of: url)
    }

    private var tls: TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        switch trust {
        case .system: break
        case .file(let path): tls.trustRoots = .file(path)
        case .anybody: tls.certificateVerification = .none
        }
        return tls
    }
}

/// An answer that is neither data nor a redirect.
struct UnexpectedStatus: Error {
    var code: UInt

    var isAboutMethod: Bool { code == 405 || code == 501 }
}

extension HTTPClientRequest {
    fileprivate mutating func setBasicAuth(_ credentials: String) {
        let parts = credentials.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        setBasicAuth(username: String(parts[0]), password: String(parts[1]))
    }
}
