import ImageModel
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import Identity

@Suite("Keystone faults")
struct KeystoneFaultTests {
    @Test("a service token that is rejected is replaced once, whoever noticed")
    func relogin() async throws {
        let logins = Mutex(0)
        let keystone = try await ScriptedKeystone { question in
            var answer = Keystone.answer(question)
            if question.line.hasPrefix("POST") {
                let number = logins.withLock {
                    $0 += 1; return $0
                }
                answer.headers = [("X-Subject-Token", number == 1 ? "revoked" : "service-token")]
            }
            return answer
        }
        let caller = try await withIdentity(keystone) { try await $0.identify("user-token") }
        #expect(caller.user == "u-1")
        #expect(logins.withLock { $0 } == 2)
        keystone.answer { question in
            question.line.hasPrefix("GET") ? .init(status: 401) : Keystone.answer(question)
        }
        try await withIdentity(keystone) { identity in
            await expectUnavailable(identity) { $0 == .serviceRefused }
        }
        try await keystone.close()
    }

    @Test("a wrong password of our own is tried once, not once a request")
    func wrongPassword() async throws {
        let keystone = try await ScriptedKeystone { _ in .init(status: 401) }
        try await withIdentity(keystone, { $0.refusalPause = .seconds(3_600) }) { identity in
            for index in 0..<20 { await expectUnavailable(identity, "t-\(index)") { $0 == .serviceRefused } }
        }
        #expect(keystone.asked("POST") == 1)
        try await keystone.close()
    }

    @Test(
        "what no Keystone answers is 503",
        arguments: [
            (500, "boom"), (200, "<html>"), (200, "{}"), (200, #"{"token": []}"#), (200, #"{"token": {}}"#),
            (200, #"{"token": {"expires_at": "soon", "user": {"id": "u"}}}"#),
            (200, #"{"token": {"expires_at": "2100-01-01T00:00:00Z", "user": {"name": "u"}}}"#),
            (200, #"{"token": {"expires_at": "2100-01-01T00:00:00Z", "user": {"id": "u"}, "roles": [7]}}"#),
            (302, ""), (429, ""),
        ]
    )
    func garbage(status: Int, body: String) async throws {
        let keystone = try await ScriptedKeystone { question in
            question.line.hasPrefix("GET") ? .init(status: status, body: body) : Keystone.answer(question)
        }
        try await withIdentity(keystone) { identity in
            await expectUnavailable(identity) { failure in
                switch failure {
                case .status(status, _): status != 200
                case .malformed: status == 200
                default: false
                }
            }
        }
        try await keystone.close()
    }

    @Test("an answer without end is 503 in time, whether its head or its body is slow", arguments: [true, false])
    func slow(trickles: Bool) async throws {
        let keystone = try await ScriptedKeystone { question in
            guard question.line.hasPrefix("GET") else { return Keystone.answer(question) }
            return .init(body: "", delay: trickles ? .zero : .hours(1), trickles: trickles)
        }
        let start = ContinuousClock.now
        try await withIdentity(keystone, { $0.exchangeTimeout = .milliseconds(300) }) { identity in
            await expectUnavailable(identity) { $0 == .timedOut }
        }
        // Whoever waits for the answer does so for an hour.
        #expect(ContinuousClock.now - start < .seconds(1_800))
        try await keystone.close()
    }

    @Test("a connection that breaks is tried again, as often as configured")
    func retried() async throws {
        let count = Mutex(0)
        let keystone = try await ScriptedKeystone { question in
            guard question.line.hasPrefix("GET") else { return Keystone.answer(question) }
            return count.withLock {
                $0 += 1; return $0
            } <= 2 ? .init(breaks: true) : Keystone.answer(question)
        }
        let caller = try await withIdentity(keystone) { try await $0.identify("user-token") }
        #expect(caller.user == "u-1")
        count.withLock { $0 = 0 }
        try await withIdentity(keystone, { $0.retryLimit = 1 }) { identity in
            await expectUnavailable(identity) { if case .unreachable = $0 { true } else { false } }
        }
        try await keystone.close()
    }

    @Test("while Keystone is away, known tokens go on until they expire, and new ones are 503")
    func outage() async throws {
        let time = Mutex(Timestamp(seconds: 1_800_000_000))
        let expires = Timestamp(seconds: 1_800_001_000).text
        let keystone = try await ScriptedKeystone {
            Keystone.answer($0, members: ["user-token": Keystone.member(expires: expires)])
        }
        try await withIdentity(
            keystone,
            now: { time.withLock { $0 } },
            {
                $0.retryLimit = 0; $0.outageTime = .seconds(800); $0.outageRest = .seconds(3_600)
            }
        ) { identity in
            _ = try await identity.identify("user-token")
            keystone.answer { _ in .init(breaks: true) }
            time.withLock { $0 = $0.advanced(by: .seconds(700)) }
            let known = try await identity.identify("user-token")
            #expect(known.user == "u-1", "past token_cache_time")
            var leftAlone = 0
            for index in 0..<50 {
                await expectUnavailable(identity, "t-\(index)") { failure in
                    switch failure {
                    case .resting:
                        leftAlone += 1
                        return true
                    case .unreachable, .timedOut: return true
                    default: return false
                    }
                }
            }
            #expect(leftAlone >= 47, "an outage is not asked about for every request")
            time.withLock { $0 = $0.advanced(by: .seconds(150)) }
            await expectUnavailable(identity) { _ in true }
            time.withLock { $0 = $0.advanced(by: .seconds(200)) }
            await expectUnauthenticated(.wrongToken) { try await identity.identify("user-token") }
        }
        try await keystone.close()
    }

    @Test("nobody at the address is 503 in time")
    func nobody() async throws {
        let keystone = try await ScriptedKeystone()
        let url = keystone.url + "/v3"
        try await keystone.close()
        try await withIdentity(keystone, url: url, { $0.exchangeTimeout = .milliseconds(300) }) { identity in
            await expectUnavailable(identity) { failure in
                switch failure {
                case .unreachable, .timedOut: true
                default: false
                }
            }
        }
    }

    @Test("what is known of a token when Keystone was asked in vain", arguments: [(false, 5), (false, 10), (true, 10)])
    func inVain(allowsExpired: Bool, seconds: Int) throws {
        let start = Timestamp(seconds: 1_800_000_000)
        let caller = Caller(user: "u-1", roles: ["member"], isAdmin: false)
        let token = KeystoneToken(expiry: start.advanced(by: .seconds(10)), caller: caller)
        let key = TokenKey("user-token", allowsExpired: allowsExpired)
        var answers = TokenAnswers<Int>(
            capacity: 8,
            cachedFor: .seconds(1),
            refusedFor: .seconds(1),
            outageTime: .seconds(3600)
        )
        _ = answers.finish(key, token, confirmed: start)
        let asked = answers.ask(key, 7, now: start.advanced(by: .seconds(4)))
        #expect(asked == .started)
        let (waiters, step) = answers.fail(key, now: start.advanced(by: .seconds(seconds)))
        #expect(waiters == [7])
        // It may expire while Keystone is asked: then it has, and that is no question any more.
        let expected: TokenAnswers<Int>.Step? = seconds < 10 ? .known(token) : allowsExpired ? nil : .known(nil)
        #expect(step == expected)
    }

    @Test("more new tokens than may wait are 503 at once")
    func flood() async throws {
        // Nobody is answered before all have come.
        let haveCome = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let keystone = try await ScriptedKeystone { question in
            var answer = Keystone.answer(question)
            if question.line.hasPrefix("GET") { answer.after = haveCome.futureResult }
            return answer
        }
        let busy = Tally()
        try await withIdentity(
            keystone,
            {
                $0.callLimit = 2; $0.waitingLimit = 3
            }
        ) {
            identity in
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<50 {
                    group.addTask {
                        do {
                            _ = try await identity.identify("t-\(index)")
                        } catch {
                            if (error as? ServiceError)?.cause as? KeystoneFailure == .busy {
                                busy.up()
                            }
                        }
                    }
                }
                // A minute at most: who is refused is told so at once.
                for _ in 0..<6_000 where busy.most < 45 { try? await Task.sleep(for: .milliseconds(10)) }
                haveCome.succeed()
            }
        }
        #expect(busy.most == 45)
        try await keystone.close()
    }

    @Test("version 3 is found from the root, and in the catalogue", arguments: ["", "/", "/identity"])
    func discovery(path: String) async throws {
        let root = path == "/identity" ? path : ""
        let keystone = try await ScriptedKeystone { question in
            let base = "http://\(question.headers.first(name: "Host") ?? "")"
            switch question.line {
            case "GET \(root)/": return Keystone.versions
            case "POST /v3/auth/tokens":
                let catalogue = """
                    , "catalog": [{"type": "image", "endpoints": [{"interface": "internal", "url": "\(base)/image"}]},
                    {"type": "identity", "endpoints": [
                    {"interface": "public", "region": "R", "url": "\(base)/public/v3"},
                    {"interface": "internal", "region": "S", "url": "\(base)/south/v3"},
                    {"interface": "internal", "region": "R", "url": "\(base)/inside/v3"}]}]
                    """
                return .init(
                    status: 201,
                    headers: [("X-Subject-Token", "service-token")],
                    body: Keystone.member(more: catalogue)
                )
            default: return .init(body: Keystone.member())
            }
        }
        let caller = try await withIdentity(keystone, url: keystone.url + path, { $0.region = "R" }) {
            try await $0.identify("user-token")
        }
        #expect(caller.user == "u-1")
        #expect(keystone.all.last?.line == "GET /inside/v3/auth/tokens?nocatalog=1")
        try await keystone.close()
    }
}
