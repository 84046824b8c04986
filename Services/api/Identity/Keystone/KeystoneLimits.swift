public import ImageModel
internal import ServiceKit
internal import WireJSON

/// Projects' unified limits, as Keystone knows them (Identity API v3, "Unified Limits"): those that were set for a project,
/// and for the rest those that the service has registered for everybody.
///
/// Asked anew for every decision, so that a limit counts from the moment it is set; whoever wants the same project's
/// limits while they are being asked for waits for that answer.
public actor KeystoneLimits {
    private let settings: KeystoneSettings
    private let endpoint: LimitsEndpoint
    private let http: KeystoneHTTP
    private let session: KeystoneSession
    private let turns: Turnstile
    private var outage: KeystoneOutage
    private var service: Service?
    private var pending: [String: Task<Result<[String: Int64], KeystoneFailure>, Never>] = [:]

    /// What Keystone files limits under.
    private struct Service: Sendable {
        var id: String
        var region: String?

        var query: String {
            "service_id=\(id.percentEscaped)" + (region.map { "&region_id=\($0.percentEscaped)" } ?? "")
        }
    }

    /// - Throws: ``KeystoneFailure`` (`malformed`) for certificates that cannot be read.
    public init(_ settings: KeystoneSettings, endpoint: LimitsEndpoint, now: @escaping @Sendable () -> Timestamp)
        throws(KeystoneFailure)
    {
        self.settings = settings
        outage = KeystoneOutage(rest: settings.outageRest)
        self.endpoint = endpoint
        http = try KeystoneHTTP(settings)
        session = KeystoneSession(settings, http: http, now: now)
        turns = Turnstile(limit: settings.callLimit, waitingLimit: settings.waitingLimit)
    }

    /// To be called once, when nobody asks any more.
    public func shutdown() async throws { try await http.shutdown() }

    /// - Returns: limits by the names of their resources; -1 for no limit.
    /// - Throws: ``ServiceError`` (`unavailable`).
    public func limits(of project: String) async throws(ServiceError) -> [String: Int64] {
        // Of no request alone: one that goes away must not take the answer from the others that wait for it.
        let task = pending[project] ?? Task { await self.ask(project) }
        pending[project] = task
        let result = await task.value
        if pending[project] == task { pending[project] = nil }
        do {
            return try result.get()
        } catch {
            throw ServiceError(
                .unavailable,
                "Keystone did not tell the limits of the project; try again later.",
                cause: error
            )
        }
    }

    private func ask(_ project: String) async -> Result<[String: Int64], KeystoneFailure> {
        // Time for a login of our own beside the questions themselves.
        let deadline = ContinuousClock.now + settings.exchangeTimeout * 2
        guard await turns.enter(until: deadline) else { return .failure(.busy) }
        defer { turns.leave() }
        guard !outage.isResting else { return .failure(.resting) }
        do throws(KeystoneFailure) {
            let limits = try await told(project, until: deadline)
            _ = outage.note(nil)
            return .success(limits)
        } catch {
            _ = outage.note(error)
            return .failure(error)
        }
    }

    private func told(_ project: String, until deadline: ContinuousClock.Instant)
        async throws(KeystoneFailure) -> [String: Int64]
    {
        let service = try await knownService(until: deadline)
        let registered = try await list("registered_limits", service.query, until: deadline)
        let own = try await list("limits", "\(service.query)&project_id=\(project.percentEscaped)", until: deadline)
        var limits: [String: Int64] = [:]
        for entry in registered { try Self.read(entry, "default_limit", into: &limits) }
        for entry in own where entry["project_id"]?.stringValue == project {
            try Self.read(entry, "resource_limit", into: &limits)
        }
        return limits
    }

    private static func read(_ entry: JSONObject, _ member: String, into limits: inout [String: Int64])
        throws(KeystoneFailure)
    {
        guard let name = entry["resource_name"]?.stringValue, case .integer(let limit)? = entry[member] else {
            throw .malformed("a limit has no resource_name or no \(member)")
        }
        limits[name] = limit
    }

    /// The service and the region of the endpoint whose limits count; found once.
    private func knownService(until deadline: ContinuousClock.Instant) async throws(KeystoneFailure) -> Service {
        if let service { return service }
        let found: JSONObject?
        switch endpoint {
        case .id(let id):
            let document = try await get("endpoints/\(id.percentEscaped)", until: deadline)
            found = document["endpoint"]?.objectValue
        case .named(let name, let type, let region, let interface):
            var query = type.map { ["type=\($0.percentEscaped)"] } ?? []
            if let name { query.append("name=\(name.percentEscaped)") }
            let services = try await list("services", query.joined(separator: "&"), until: deadline)
            guard let id = services.first?["id"]?.stringValue, services.count == 1 else {
                throw .malformed("\(services.count) services match [oslo_limit] endpoint_service_name and _type")
            }
            var of = "service_id=\(id.percentEscaped)&interface=\(interface.percentEscaped)"
            if let region { of += "&region_id=\(region.percentEscaped)" }
            found = try await list("endpoints", of, until: deadline).first
        }
        guard let id = found?["service_id"]?.stringValue else {
            throw .malformed("the endpoint of [oslo_limit] is not there")
        }
        let known = Service(id: id, region: found?["region_id"]?.stringValue)
        service = known
        return known
    }

    private func list(_ name: String, _ query: String, until deadline: ContinuousClock.Instant)
        async throws(KeystoneFailure) -> [JSONObject]
    {
        let document = try await get("\(name)?\(query)", until: deadline)
        guard let entries = document[name]?.arrayValue else { throw .malformed("\(name) is missing") }
        return entries.compactMap(\.objectValue)
    }

    /// Asks once more with a new login when the first is not accepted.
    private func get(_ path: String, until deadline: ContinuousClock.Instant) async throws(KeystoneFailure)
        -> JSONObject
    {
        var login = try await session.login(until: deadline)
        for attempt in 0..<2 {
            let answer = try await http.get(
                "\(login.endpoint)/\(path)",
                [("X-Auth-Token", login.token)],
                until: deadline
            )
            switch answer.status {
            case 200:
                // Where it breaks off is nobody's business, and its text may hold what no log may.
                guard let document = try? JSONValue(parsing: answer.body).objectValue else {
                    throw .malformed("it is not JSON")
                }
                return document
            case 401 where attempt == 0: login = try await session.login(instead: login, until: deadline)
            case 401, 403: throw .serviceRefused
            default: throw .status(answer.status, doing: "tell limits")
            }
        }
        throw .serviceRefused
    }
}

/// Which endpoint of the catalogue is this service's own, and so whose limits count (`[oslo_limit]`).
public enum LimitsEndpoint: Sendable, Equatable {
    case id(String)
    case named(String?, type: String?, region: String?, interface: String)
}
