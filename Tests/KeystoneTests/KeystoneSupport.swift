import HTTPTypes
import ImageModel
import Logging
import NIOHTTP1
import ServiceKit
import Synchronization
import Testing

@testable import Identity

/// Documents as Keystone writes them.
enum Keystone {
    /// Logs in anybody as `service-token`, and validates the tokens of `members`; others it does not know.
    static func answer(
        _ question: ScriptedKeystone.Question,
        members: [String: String] = ["user-token": member()]
    ) -> ScriptedKeystone.Answer {
        switch question.line.split(separator: "?").first.map(String.init) {
        case "GET /": versions
        case "POST /v3/auth/tokens":
            .init(status: 201, headers: [("X-Subject-Token", "service-token")], body: member(name: "service"))
        case "GET /v3/auth/tokens":
            if question.headers.first(name: "X-Auth-Token") != "service-token" {
                .init(status: 401)
            } else if let document = question.headers.first(name: "X-Subject-Token").flatMap({ members[$0] }) {
                .init(body: document)
            } else {
                .init(status: 404, body: #"{"error": {"code": 404}}"#)
            }
        default: .init(status: 400)
        }
    }

    static let versions = ScriptedKeystone.Answer(
        status: 300,
        body: #"{"versions": {"values": [{"id": "v3.14", "links": [{"rel": "self", "href": "/v3/"}]}]}}"#
    )

    static func member(
        name: String = "u-1",
        expires: String = "2100-01-01T00:00:00.000000Z",
        roles: [String] = ["Member", "reader"],
        scope: String = #""project": {"id": "p-1", "name": "p", "domain": {"id": "d-2"}}"#,
        more: String = ""
    ) -> String {
        let list = roles.map { #"{"id": "x", "name": "\#($0)"}"# }.joined(separator: ",")
        return """
            {"token": {"methods": ["password"], "expires_at": "\(expires)", "issued_at": "2026-01-01T00:00:00.000000Z",
            "user": {"id": "\(name)", "name": "n", "domain": {"id": "d-1", "name": "D"}},
            "roles": [\(list)], \(scope)\(more)}}
            """
    }
}

/// An identity that asks a scripted Keystone.
func withIdentity<Result>(
    _ keystone: ScriptedKeystone,
    url: String? = nil,
    allowsAnonymous: Bool = false,
    now: @escaping @Sendable () -> Timestamp = { Timestamp(seconds: 1_800_000_000) },
    _ adjust: (inout KeystoneSettings) -> Void = { _ in },
    _ body: (KeystoneIdentity) async throws -> Result
) async throws -> Result {
    var settings = KeystoneSettings(
        authURL: try #require(KeystoneURL(url ?? keystone.url + "/v3")),
        credential: .password(
            user: .name("glance", domain: .name("Default")),
            password: "p4ss",
            scope: .project(.name("service", domain: .id("default")))
        )
    )
    settings.exchangeTimeout = .seconds(60)
    adjust(&settings)
    let identity = try KeystoneIdentity(
        settings,
        isAdmin: isAdmin,
        allowsAnonymous: allowsAnonymous,
        now: now,
        logger: Logger(label: "test")
    )
    let result: Result
    do {
        result = try await body(identity)
    } catch {
        try await identity.shutdown()
        throw error
    }
    try await identity.shutdown()
    return result
}

extension KeystoneIdentity {
    func identify(
        _ token: String?,
        service: String? = nil,
        _ method: String = "GET",
        _ path: String = "/v2/images"
    ) async throws -> Caller {
        var fields: [(String, String)] = []
        if let token { fields.append(("X-Auth-Token", token)) }
        if let service { fields.append(("X-Service-Token", service)) }
        return try await identify(
            RequestCredentials(method: method, path: path, headers: headers(fields), peer: .address("192.0.2.1"))
        )
    }
}

func headers(_ fields: [(String, String)]) throws -> HTTPFields {
    var all = HTTPFields()
    for (name, value) in fields { all.append(.init(name: try #require(.init(name)), value: value)) }
    return all
}

/// Expects 503, never 401, with this failure for the log.
func expectUnavailable(
    _ identity: KeystoneIdentity,
    _ token: String = "user-token",
    sourceLocation: SourceLocation = #_sourceLocation,
    because isExpected: (KeystoneFailure) -> Bool
) async {
    let error = await #expect(throws: ServiceError.self, sourceLocation: sourceLocation) {
        _ = try await identity.identify(token)
    }
    #expect(error?.code == .unavailable, sourceLocation: sourceLocation)
    let failure = error?.cause as? KeystoneFailure
    #expect(failure.map(isExpected) == true, "\(String(describing: failure))", sourceLocation: sourceLocation)
    #expect(failure.map { !"\($0)".contains(token) } == true, sourceLocation: sourceLocation)
}

func isAdmin(_ roles: Set<String>) -> Bool { roles.contains("admin") }

/// Expects that `body` is refused for `reason`.
func expectUnauthenticated(
    _ reason: IdentityRefusal,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Caller
) async {
    let error = await #expect(throws: ServiceError.self, sourceLocation: sourceLocation) { _ = try await body() }
    #expect(error?.code == .unauthenticated, sourceLocation: sourceLocation)
    #expect(error?.cause as? IdentityRefusal == reason, sourceLocation: sourceLocation)
}

/// How many there are, and the most there were at a time.
final class Tally: Sendable {
    private let numbers = Mutex((now: 0, most: 0))

    var most: Int { numbers.withLock { $0.most } }

    func up() {
        numbers.withLock { numbers in
            numbers.now += 1
            numbers.most = max(numbers.most, numbers.now)
        }
    }

    func down() { numbers.withLock { $0.now -= 1 } }
}
