import HTTPTypes
import Hummingbird
import ServiceKit
import Testing
import WireJSON

@Suite("The health check")
struct MonitoringTests {
    private static let disabled = HealthFault("DISABLED BY FILE", details: "Path '/etc/<off>' was found")

    /// Status, type and body of an answer.
    private func ask(
        _ method: HTTPRequest.Method = .get,
        _ path: String = "/healthcheck",
        headers: [String: String] = [:],
        peer: Peer = .address("127.0.0.1"),
        health: HealthCheck = HealthCheck(),
        fault: HealthFault? = nil
    ) async throws -> (status: Int, type: String?, body: String)? {
        let monitoring = Monitoring(metrics: PrometheusMetrics(), health: health) { fault }
        let request = Request.made(method, path, headers: headers)
        guard let response = await monitoring.respond(to: request, from: peer) else { return nil }
        let answer = try await response.collected()
        return (answer.status.code, answer.headers[.contentType], answer.body)
    }

    @Test(
        "its form is the one that Accept wants most",
        arguments: [
            (nil, "text/plain; charset=UTF-8"), ("*/*", "text/plain; charset=UTF-8"),
            ("text/html", "text/html; charset=UTF-8"), ("application/json", "application/json"),
            ("text/html;q=0.2, application/json;q=0.9", "application/json"),
            ("text/html, */*;q=0.1", "text/html; charset=UTF-8"), ("image/png", "text/plain; charset=UTF-8"),
        ] as [(String?, String)]
    )
    func forms(_ accept: String?, _ type: String) async throws {
        let answer = try #require(try await ask(headers: accept.map { ["Accept": $0] } ?? [:]))
        #expect(answer.status == 200)
        #expect(answer.type == type)
        #expect(answer.body.contains("OK"))
    }

    @Test("a service that is fine answers 200 and OK, and HEAD 204")
    func fine() async throws {
        #expect(try await ask()?.body == "OK")
        #expect(try await ask(.head)?.status == 204)
        let json = try #require(try await ask(headers: ["Accept": "application/json"])?.body)
        #expect(try JSONValue(parsing: Array(json.utf8)) == ["detailed": false, "reasons": ["OK"]])
    }

    @Test("one that should get no traffic answers 503 with the reason")
    func fault() async throws {
        let answer = try #require(try await ask(fault: Self.disabled))
        #expect((answer.status, answer.body) == (503, "DISABLED BY FILE"))
        #expect(try await ask(.head, fault: Self.disabled)?.status == 503)
    }

    @Test("details are told only when configured")
    func details() async throws {
        var health = HealthCheck()
        let html = ["Accept": "text/html"]
        #expect(try await ask(headers: html, fault: Self.disabled)?.body.contains("Path") == false)
        health.isDetailed = true
        let page = try await ask(headers: html, health: health, fault: Self.disabled)?.body
        #expect(page?.contains("<p>Path &#x27;/etc/&lt;off&gt;&#x27; was found</p>") == true)
        let json = try #require(
            try await ask(headers: ["Accept": "application/json"], health: health, fault: Self.disabled)?.body
        )
        #expect(
            try JSONValue(parsing: Array(json.utf8)) == [
                "detailed": true,
                "reasons": [["reason": "DISABLED BY FILE", "details": "Path '/etc/<off>' was found"]],
            ]
        )
    }

    @Test(
        "who is outside of the allowed networks gets 404",
        arguments: [
            (.address("10.1.2.3"), 200), (.address("11.0.0.1"), 404), (.address("2001:db8::5"), 200),
            (.address("::ffff:10.0.0.1"), 200), (.address("127.0.0.1"), 404), (.unixSocket, 404), (.unknown, 404),
        ] as [(Peer, Int)]
    )
    func sources(_ peer: Peer, _ status: Int) async throws {
        var health = HealthCheck()
        health.allowedSources = [try #require(AddressRange("10.0.0.0/8")), try #require(AddressRange("2001:db8::/32"))]
        #expect(try await ask(peer: peer, health: health)?.status == status)
    }

    @Test(
        "requests through a proxy get 404 when they are to be ignored",
        arguments: ["Forwarded", "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Anything"]
    )
    func proxied(_ header: String) async throws {
        var health = HealthCheck()
        #expect(try await ask(headers: [header: "x"], health: health)?.status == 200)
        health.ignoresProxied = true
        #expect(try await ask(headers: [header: "x"], health: health)?.status == 404)
        #expect(try await ask(health: health)?.status == 200)
    }

    @Test(
        "metrics are for this machine and for the networks that are listed",
        arguments: [
            (.address("127.0.0.1"), 200, 404), (.address("::1"), 200, 404), (.unixSocket, 200, 404),
            (.address("10.1.2.3"), 200, 200), (.address("11.0.0.1"), 404, 404), (.unknown, 404, 404),
        ] as [(Peer, Int, Int)]
    )
    func metrics(_ peer: Peer, _ status: Int, _ statusBehindProxy: Int) async throws {
        var readers = MetricsReaders()
        readers.allowedSources = [try #require(AddressRange("10.0.0.0/8"))]
        let monitoring = Monitoring(metrics: PrometheusMetrics(), readers: readers) { nil }
        for (headers, status) in [([:], status), (["X-Forwarded-For": "127.0.0.1"], statusBehindProxy)] {
            let response = await monitoring.respond(to: .made(.get, "/metrics", headers: headers), from: peer)
            #expect(response?.status.code == status)
        }
    }

    @Test("other paths are none of its business, and its own can be another one")
    func paths() async throws {
        var health = HealthCheck()
        health.path = "/alive"
        #expect(try await ask(.get, "/alive", health: health)?.status == 200)
        #expect(try await ask(.get, "/healthcheck", health: health) == nil)
        #expect(try await ask(.get, "/v2/images") == nil)
        #expect(try await ask(.post)?.status == 405)
    }
}
