internal import ImageModel
internal import WireJSON

/// The service's own standing with Keystone: where it is, and a token to ask with.
///
/// Everybody who needs it while it is being made waits for the same login.
actor KeystoneSession {
    private let settings: KeystoneSettings
    private let http: KeystoneHTTP
    private let now: @Sendable () -> Timestamp
    private var login: Login?
    private var pending: Task<Result<Login, KeystoneFailure>, Never>?
    private var loginCount = 0
    private var refusedUntil: ContinuousClock.Instant?

    struct Login: Sendable {
        /// Tells one login from the next.
        var number: Int
        var token: String
        var expiry: Timestamp
        /// Where tokens are validated: the endpoint of `interface` and `region` in the catalogue.
        var endpoint: KeystoneURL
    }

    init(_ settings: KeystoneSettings, http: KeystoneHTTP, now: @escaping @Sendable () -> Timestamp) {
        self.settings = settings
        self.http = http
        self.now = now
    }

    /// A login that is good for a while, as far as the clock tells.
    ///
    /// - Parameter rejected: One that Keystone did not accept any more, so that another is needed.
    func login(instead rejected: Login? = nil, until deadline: ContinuousClock.Instant)
        async throws(KeystoneFailure) -> Login
    {
        if let login, login.number != rejected?.number, now() < login.expiry.advanced(by: .seconds(-5)) {
            return login
        }
        if let pending { return try await pending.value.get() }
        if let refusedUntil, .now < refusedUntil { throw .serviceRefused }
        loginCount += 1
        let number = loginCount
        // Outlives whoever asked first: others wait for it too. It ends by its deadline.
        let task = Task { await self.logIn(number, until: deadline) }
        pending = task
        let result = await task.value
        pending = nil
        switch result {
        case .success(let made): login = made
        case .failure(.serviceRefused):
            login = nil
            refusedUntil = .now + settings.refusalPause
        case .failure: break
        }
        return try result.get()
    }

    private func logIn(_ number: Int, until deadline: ContinuousClock.Instant) async -> Result<Login, KeystoneFailure> {
        do throws(KeystoneFailure) {
            let address = try await versioned(settings.authURL, until: deadline)
            // Without a catalogue there is no telling where to validate but here.
            let answer = try await http.post(
                "\(address)/auth/tokens",
                settings.credential.request,
                until: deadline
            )
            switch answer.status {
            case 201: break
            case 401, 403: throw .serviceRefused
            default: throw .status(answer.status, doing: "log in")
            }
            guard let token = answer.token, token.isToken else { throw .malformed("X-Subject-Token is missing") }
            let document = try KeystoneToken(document: answer.body)
            let endpoint = try await versioned(
                Self.endpoint(in: answer.body, settings.interface, settings.region) ?? address,
                until: deadline
            )
            return .success(Login(number: number, token: token, expiry: document.expiry, endpoint: endpoint))
        } catch {
            return .failure(error)
        }
    }

    /// The URL of version 3 below a URL that may not name a version, as its list of versions says.
    private func versioned(_ url: KeystoneURL, until deadline: ContinuousClock.Instant)
        async throws(KeystoneFailure) -> KeystoneURL
    {
        if url.isVersioned { return url }
        let answer = try await http.get("\(url)/", [], until: deadline)
        guard [200, 300].contains(answer.status) else { throw .status(answer.status, doing: "list its versions") }
        guard let document = try? JSONValue(parsing: answer.body).objectValue else {
            throw .malformed("the list of versions is not JSON")
        }
        let list = document["versions"]?.objectValue?["values"]?.arrayValue ?? document["versions"]?.arrayValue
        let versions = (list ?? [document["version"]].compactMap { $0 }).compactMap(\.objectValue)
        guard let version = versions.first(where: { $0["id"]?.stringValue?.hasPrefix("v3") == true }) else {
            throw .malformed("it has no version 3")
        }
        let links = (version["links"]?.arrayValue ?? []).compactMap(\.objectValue)
        let link = links.first { $0["rel"] == "self" }?["href"]?.stringValue
        return link.flatMap(url.following) ?? url.appending("/v3")
    }

    /// Keystone's own endpoint in the catalogue of a token document.
    private static func endpoint(in document: [UInt8], _ interface: String, _ region: String?) -> KeystoneURL? {
        guard let catalogue = try? JSONValue(parsing: document).objectValue?["token"]?.objectValue?["catalog"] else {
            return nil
        }
        let services = (catalogue.arrayValue ?? []).compactMap(\.objectValue).filter { $0["type"] == "identity" }
        let endpoints = services.flatMap { $0["endpoints"]?.arrayValue ?? [] }.compactMap(\.objectValue)
        let found = endpoints.first { endpoint in
            endpoint["interface"]?.stringValue == interface
                && (region == nil
                    || [endpoint["region"], endpoint["region_id"]].contains(region.map(JSONValue.string)))
        }
        return found?["url"]?.stringValue.flatMap(KeystoneURL.init)
    }
}

extension String {
    /// Whether it can be a token: visible ASCII, and not more than a header may carry.
    var isToken: Bool {
        (1...16_384).contains(utf8.count) && utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
