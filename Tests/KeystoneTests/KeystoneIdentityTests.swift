import HTTPTypes
import ImageModel
import NIOCore
import NIOHTTP1
import ServiceKit
import Synchronization
import Testing

@testable import Identity

@Suite("Keystone identity")
struct KeystoneIdentityTests {
    @Test("a good token is who Keystone says, and is asked about as Keystone wants it")
    func accepted() async throws {
        let keystone = try await ScriptedKeystone()
        let caller = try await withIdentity(keystone, { $0.region = "R" }) { try await $0.identify("user-token") }
        var expected = Caller(user: "u-1", project: "p-1", roles: ["member", "reader"])
        expected.token.userDomain = "d-1"
        expected.token.projectDomain = "d-2"
        #expect(caller == expected)
        let login = try #require(keystone.all.first)
        #expect(login.line == "POST /v3/auth/tokens")
        #expect(
            login.body == #"{"auth":{"identity":{"methods":["password"],"password":{"user":{"password":"p4ss","#
                + #""name":"glance","domain":{"name":"Default"}}}},"scope":{"project":{"name":"service","#
                + #""domain":{"id":"default"}}}}}"#
        )
        let question = try #require(keystone.all.last)
        #expect(question.line == "GET /v3/auth/tokens?nocatalog=1")
        #expect(question.headers["X-Auth-Token"] == ["service-token"])
        #expect(question.headers["X-Subject-Token"] == ["user-token"])
        #expect(question.headers["OpenStack-Identity-Access-Rules"] == ["1.0"])
        try await keystone.close()
    }

    @Test("no token, an unknown one and one that cannot be one are refused; the last is nobody's business but ours")
    func refused() async throws {
        let keystone = try await ScriptedKeystone()
        try await withIdentity(keystone, { $0.challengeURI = "https://id.example/" }) { identity in
            await expectUnauthenticated(.missingCredentials) { try await identity.identify(nil) }
            await expectUnauthenticated(.missingCredentials) { try await identity.identify(" ") }
            await expectUnauthenticated(.wrongToken) { try await identity.identify("nobody's") }
            let asked = keystone.asked("GET /v3/auth")
            await expectUnauthenticated(.wrongToken) { try await identity.identify("a b") }
            await expectUnauthenticated(.wrongToken) {
                try await identity.identify(String(repeating: "x", count: 16_385))
            }
            #expect(keystone.asked("GET /v3/auth") == asked)
            #expect(identity.challenge == "Keystone uri=\"https://id.example/\"")
        }
        try await keystone.close()
    }

    @Test("X-Storage-Token stands in for X-Auth-Token, and identity headers count for nothing")
    func headerNames() async throws {
        let keystone = try await ScriptedKeystone()
        try await withIdentity(keystone) { identity in
            let fields = [
                ("X-Storage-Token", " user-token "), ("X-Roles", "admin"), ("X-Identity-Status", "Confirmed"),
            ]
            let caller = try await identity.identify(
                RequestCredentials(headers: try headers(fields), peer: .unixSocket)
            )
            #expect(caller.user == "u-1" && !caller.isAdmin)
            await expectUnauthenticated(.missingCredentials) {
                try await identity.identify(
                    RequestCredentials(headers: try headers(Array(fields.dropFirst())), peer: .unixSocket)
                )
            }
        }
        try await keystone.close()
    }

    @Test("a thousand requests with one new token are one validation, and one login")
    func singleFlight() async throws {
        let keystone = try await ScriptedKeystone { question in
            var answer = Keystone.answer(question)
            answer.delay = .milliseconds(100)
            return answer
        }
        try await withIdentity(keystone) { identity in
            try await withThrowingTaskGroup(of: Caller.self) { group in
                for _ in 0..<1_000 { group.addTask { try await identity.identify("user-token") } }
                for try await caller in group { #expect(caller.user == "u-1") }
            }
            _ = try await identity.identify("user-token")
        }
        #expect(keystone.asked("POST /v3/auth/tokens") == 1)
        #expect(keystone.asked("GET /v3/auth/tokens") == 1)
        try await keystone.close()
    }

    @Test("a hundred new tokens are asked about a few at a time")
    func bounded() async throws {
        let members = Dictionary(uniqueKeysWithValues: (0..<100).map { ("t-\($0)", Keystone.member()) })
        let keystone = try await ScriptedKeystone { question in
            var answer = Keystone.answer(question, members: members)
            answer.delay = .milliseconds(20)
            return answer
        }
        try await withIdentity(keystone, { $0.callLimit = 4 }) { identity in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        _ = try await identity.identify("t-\(index)")
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(keystone.unanswered.most <= 4)
        #expect(keystone.asked("GET /v3/auth/tokens") == 100)
        try await keystone.close()
    }

    @Test("answers are remembered until the time is up, or the token's")
    func remembered() async throws {
        let time = Mutex(Timestamp(seconds: 1_800_000_000))
        let expires = Timestamp(seconds: 1_800_000_400).text
        let keystone = try await ScriptedKeystone {
            Keystone.answer($0, members: ["user-token": Keystone.member(expires: expires)])
        }
        func advance(_ seconds: Int) { time.withLock { $0 = $0.advanced(by: .seconds(seconds)) } }
        try await withIdentity(keystone, now: { time.withLock { $0 } }) { identity in
            for _ in 0..<3 { _ = try await identity.identify("user-token") }
            await expectUnauthenticated(.wrongToken) { try await identity.identify("bad") }
            await expectUnauthenticated(.wrongToken) { try await identity.identify("bad") }
            #expect(keystone.asked("GET /v3/auth") == 2)
            advance(6)
            await expectUnauthenticated(.wrongToken) { try await identity.identify("bad") }
            #expect(keystone.asked("GET /v3/auth") == 3)
            advance(295)
            _ = try await identity.identify("user-token")
            #expect(keystone.asked("GET /v3/auth") == 4)
            advance(100)
            await expectUnauthenticated(.wrongToken) { try await identity.identify("user-token") }
            #expect(keystone.asked("GET /v3/auth") == 4, "an expired token is not asked about again")
        }
        try await keystone.close()
    }

    @Test("a revoked token is refused once its time in memory is up")
    func revoked() async throws {
        let time = Mutex(Timestamp(seconds: 1_800_000_000))
        let keystone = try await ScriptedKeystone()
        try await withIdentity(keystone, now: { time.withLock { $0 } }) { identity in
            _ = try await identity.identify("user-token")
            keystone.answer { Keystone.answer($0, members: [:]) }
            _ = try await identity.identify("user-token")
            time.withLock { $0 = $0.advanced(by: .seconds(301)) }
            await expectUnauthenticated(.wrongToken) { try await identity.identify("user-token") }
        }
        try await keystone.close()
    }

    @Test("with token_cache_time = -1 every request asks")
    func uncached() async throws {
        let keystone = try await ScriptedKeystone()
        try await withIdentity(keystone, { $0.cachedFor = .zero }) { identity in
            for _ in 0..<3 { _ = try await identity.identify("user-token") }
        }
        #expect(keystone.asked("GET /v3/auth/tokens") == 3)
        #expect(keystone.asked("POST /v3/auth/tokens") == 1)
        try await keystone.close()
    }

    @Test("system and domain tokens keep their scope and their roles, for policy to judge")
    func scopes() async throws {
        let members = [
            "s": Keystone.member(roles: ["admin"], scope: #""system": {"all": true}"#),
            "d": Keystone.member(roles: ["admin"], scope: #""domain": {"id": "d-9", "name": "D"}"#),
            "u": Keystone.member(roles: [], scope: #""is_admin_project": false"#),
            "a": Keystone.member(roles: ["Admin"]),
        ]
        let keystone = try await ScriptedKeystone { Keystone.answer($0, members: members) }
        try await withIdentity(keystone) { identity in
            let system = try await identity.identify("s")
            #expect(system.token.scope == .system("all") && system.roles == ["admin"] && system.isAdmin)
            let domain = try await identity.identify("d")
            #expect(domain.token.scope == .domain("d-9") && domain.roles == ["admin"] && domain.isAdmin)
            let unscoped = try await identity.identify("u")
            #expect(unscoped.project == nil && unscoped.roles.isEmpty && !unscoped.token.isAdminProject)
            let admin = try await identity.identify("a")
            #expect(admin.isAdmin)
        }
        try await keystone.close()
    }

    @Test("where anonymous access is on, delay_auth_decision decides what a bad token makes of its bearer")
    func delayed() async throws {
        let keystone = try await ScriptedKeystone()
        for (isDelayed, token) in [(true, nil), (true, "bad"), (false, nil), (false, "bad")] {
            try await withIdentity(keystone, allowsAnonymous: true, { $0.delaysDecision = isDelayed }) { identity in
                if isDelayed {
                    let somebody = try await identity.identify(token)
                    #expect(somebody == .anonymous)
                } else {
                    await expectUnauthenticated(token == nil ? .missingCredentials : .wrongToken) {
                        try await identity.identify(token)
                    }
                }
            }
        }
        try await keystone.close()
    }

    @Test("beside a service's token an expired one is good, and its roles come with it")
    func serviceTokens() async throws {
        let members = [
            "nova": Keystone.member(name: "nova", roles: ["Service", "service"]),
            "member": Keystone.member(name: "m", roles: ["member"]), "user-token": Keystone.member(),
        ]
        let keystone = try await ScriptedKeystone { question in
            if question.headers.first(name: "X-Subject-Token") == "old" {
                guard question.line.contains("allow_expired=1") else { return .init(status: 404) }
                return .init(body: Keystone.member(name: "o", expires: "2020-01-01T00:00:00Z"))
            }
            return Keystone.answer(question, members: members)
        }
        try await withIdentity(keystone) { identity in
            await expectUnauthenticated(.wrongToken) { try await identity.identify("old") }
            await expectUnauthenticated(.wrongToken) { try await identity.identify("old", service: "member") }
            await expectUnauthenticated(.wrongToken) { try await identity.identify("old", service: "old") }
            let caller = try await identity.identify("old", service: "nova")
            #expect(caller.user == "o" && caller.serviceRoles == ["Service", "service"])
            #expect(caller.token.serviceUser == "nova" && caller.token.serviceProject == "p-1")
            await expectUnauthenticated(.wrongToken) { try await identity.identify("old") }
            let plain = try await identity.identify("user-token", service: "member")
            #expect(plain.serviceRoles.isEmpty)
        }
        try await withIdentity(keystone, { $0.requiresServiceRoles = false }) { identity in
            let old = try await identity.identify("old", service: "member")
            #expect(old.user == "o")
        }
        try await withIdentity(keystone, { $0.delaysDecision = false }) { identity in
            await expectUnauthenticated(.wrongServiceToken) {
                try await identity.identify("user-token", service: "member")
            }
        }
        try await keystone.close()
    }

    @Test("an application credential with access rules may do what they say, of the service that they name")
    func accessRules() async throws {
        let rules = #"[{"service": "image", "method": "GET", "path": "/v2/images/*"}]"#
        let catalogue = #"[{"type": "image", "name": "glance", "endpoints": []}]"#
        let document = Keystone.member(
            more: #", "application_credential": {"id": "a", "access_rules": \#(rules)}, "catalog": \#(catalogue)"#
        )
        let keystone = try await ScriptedKeystone { Keystone.answer($0, members: ["t": document]) }
        try await withIdentity(keystone, { $0.serviceType = "image" }) { identity in
            let reader = try await identity.identify("t", "GET", "/v2/images/7")
            #expect(reader.user == "u-1")
            for (method, path) in [("GET", "/v2/images"), ("DELETE", "/v2/images/7"), ("GET", "/v2/images/7/file")] {
                await expectUnauthenticated(.accessRules) { try await identity.identify("t", method, path) }
            }
        }
        #expect(keystone.all.last?.line == "GET /v3/auth/tokens")
        try await withIdentity(keystone) { identity in
            await expectUnauthenticated(.accessRules) { try await identity.identify("t", "GET", "/v2/images/7") }
        }
        try await keystone.close()
    }
}
