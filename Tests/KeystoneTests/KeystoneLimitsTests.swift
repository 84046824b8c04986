import ImageModel
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Identity

/// Unified limits as Keystone tells them, and whatever else it may answer.
@Suite("Unified limits")
struct KeystoneLimitsTests {
    private static let endpoint = #"{"endpoint": {"id": "e", "service_id": "s 1", "region_id": "R"}}"#
    private static let registered = """
        {"registered_limits": [{"resource_name": "image_count_total", "default_limit": 5},
        {"resource_name": "image_size_total", "default_limit": 7}], "links": {}}
        """
    private static let own = """
        {"limits": [{"resource_name": "image_size_total", "project_id": "p/1", "resource_limit": -1},
        {"resource_name": "image_count_total", "project_id": "another", "resource_limit": 0}]}
        """

    /// - Parameter answers: By the path behind `/v3/`, as far as it is given; 404 for the rest.
    private func withLimits(
        _ endpoint: LimitsEndpoint = .id("e"),
        _ answers: [(path: String, answer: ScriptedKeystone.Answer)],
        exchangeTimeout: Duration = .seconds(60),
        rest: Duration = .seconds(1),
        _ body: (KeystoneLimits, ScriptedKeystone) async throws -> Void
    ) async throws {
        let keystone = try await ScriptedKeystone { question in
            let known = answers.first { question.line.hasPrefix("GET /v3/\($0.path)") }
            if let known { return known.answer }
            return question.line.hasPrefix("POST ") ? Keystone.answer(question) : .init(status: 404)
        }
        var settings = KeystoneSettings(
            authURL: try #require(KeystoneURL(keystone.url + "/v3")),
            credential: .password(user: .id("u"), password: "p", scope: .none)
        )
        settings.exchangeTimeout = exchangeTimeout
        settings.outageRest = rest
        settings.retryLimit = 0
        let limits = try KeystoneLimits(settings, endpoint: endpoint, now: { Timestamp(seconds: 1_800_000_000) })
        do {
            try await body(limits, keystone)
        } catch {
            try await limits.shutdown()
            throw error
        }
        try await limits.shutdown()
        try await keystone.close()
    }

    private func good() -> [(path: String, answer: ScriptedKeystone.Answer)] {
        [
            ("endpoints/e", .init(body: Self.endpoint)), ("registered_limits?", .init(body: Self.registered)),
            ("limits?", .init(body: Self.own)),
        ]
    }

    @Test("a project's own limits come before everybody's")
    func limits() async throws {
        try await withLimits(.id("e"), good()) { limits, keystone in
            #expect(try await limits.limits(of: "p/1") == ["image_count_total": 5, "image_size_total": -1])
            #expect(keystone.asked("GET /v3/limits?service_id=s%201&region_id=R&project_id=p%2F1") == 1)
            // Nothing is kept but the login and what the endpoint is.
            _ = try await limits.limits(of: "p/1")
            #expect(keystone.asked("GET /v3/registered_limits?service_id=s%201&region_id=R") == 2)
            #expect(keystone.asked("GET /v3/endpoints/e") == 1 && keystone.asked("POST /v3/auth/tokens") == 1)
        }
    }

    @Test("the endpoint may be named by its service")
    func named() async throws {
        let answers: [(path: String, answer: ScriptedKeystone.Answer)] = [
            ("services?type=image&name=glance", .init(body: #"{"services": [{"id": "s"}]}"#)),
            (
                "endpoints?service_id=s&interface=public&region_id=R",
                .init(body: #"{"endpoints": [{"service_id": "s", "region_id": "R"}]}"#)
            ),
            ("registered_limits?service_id=s&region_id=R", .init(body: Self.registered)),
            ("limits?service_id=s&region_id=R&project_id=p", .init(body: #"{"limits": []}"#)),
        ]
        try await withLimits(.named("glance", type: "image", region: "R", interface: "public"), answers) { limits, _ in
            let known = try await limits.limits(of: "p")
            #expect(known == ["image_count_total": 5, "image_size_total": 7])
        }
    }

    @Test("whoever asks at the same time shares an answer")
    func shared() async throws {
        var answers = good()
        let haveCome = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        answers[1].answer.after = haveCome.futureResult
        try await withLimits(.id("e"), answers) { limits, keystone in
            for task in await limits.asked(50, for: "p/1", then: { haveCome.succeed() }) {
                let known = try await task.value
                #expect(known.count == 2)
            }
            #expect(keystone.asked("GET /v3/registered_limits") == 1)
        }
    }

    @Test("a Keystone that fails again and again is left alone for a moment")
    func rest() async throws {
        var answers = good()
        answers[2].answer.breaks = true
        try await withLimits(.id("e"), answers, rest: .seconds(3_600)) { limits, keystone in
            for _ in 0..<9 {
                let error = await #expect(throws: ServiceError.self) { try await limits.limits(of: "p") }
                #expect(error?.code == .unavailable)
            }
            #expect(keystone.asked("GET /v3/limits?") == 3)
        }
    }

    @Test(
        "whatever else is answered means that nothing is known",
        arguments: [
            ScriptedKeystone.Answer(status: 500), .init(status: 403), .init(status: 401), .init(body: "<html>"),
            .init(body: "[]"), .init(body: #"{"registered_limits": 1}"#), .init(breaks: true), .init(trickles: true),
            .init(body: #"{"registered_limits": [{"resource_name": "image_size_total"}]}"#),
            .init(body: #"{"registered_limits": [{"resource_name": "a", "default_limit": "9"}]}"#),
        ]
    )
    func faults(_ answer: ScriptedKeystone.Answer) async throws {
        var answers = good()
        answers[1].answer = answer
        // Of an answer without end nothing is known either.
        let time = answer.trickles ? Duration.milliseconds(500) : .seconds(60)
        try await withLimits(.id("e"), answers, exchangeTimeout: time) { limits, _ in
            let error = await #expect(throws: ServiceError.self) { try await limits.limits(of: "p") }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("127.0.0.1") == false)
        }
    }
}

extension KeystoneLimits {
    /// Many who ask, and what is done when all of them have: what is begun on an actor comes there in this order.
    fileprivate func asked(
        _ count: Int,
        for project: String,
        then done: @escaping @Sendable () -> Void
    ) -> [Task<[String: Int64], any Error>] {
        let tasks = (0..<count).map { _ in Task { try await self.limits(of: project) } }
        Task {
            self.preconditionIsolated()
            done()
        }
        return tasks
    }
}
