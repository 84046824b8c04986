import Hummingbird
import Testing

@testable import ImageAPI

@Suite("How the client knows the service")
struct ClientAddressTests {
    private static let own = "http://img.example:9292"

    @Test("without belief in proxies, what they send changes nothing")
    func unbelieved() {
        let headers = [
            "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/p",
            "X-Forwarded-For": "192.0.2.1", "Forwarded": "proto=https;host=evil.example;for=192.0.2.1",
        ]
        let address = ClientAddress(of: .made(.get, "/", headers: headers), peer: "127.0.0.1", believesProxies: false)
        #expect(address.base == Self.own)
        #expect(address.client == "127.0.0.1")
    }

    @Test(
        "the headers before RFC 7239 give scheme, host, port and prefix",
        arguments: [
            ([:], own),
            (["X-Forwarded-Proto": "https"], "https://img.example:9292"),
            (["X-Forwarded-Proto": "HTTPS, http"], "https://img.example:9292"),
            (["X-Forwarded-Proto": "gopher"], own),
            (["X-Forwarded-Host": "api.example"], "http://api.example"),
            (["X-Forwarded-Host": "api.example, inner.example"], "http://api.example"),
            (["X-Forwarded-Host": "api.example/evil"], own),
            (["X-Forwarded-Host": ""], own),
            (["X-Forwarded-Host": "api.example", "X-Forwarded-Port": "8443"], "http://api.example:8443"),
            (["X-Forwarded-Host": "api.example:1", "X-Forwarded-Port": "8443"], "http://api.example:1"),
            (["X-Forwarded-Port": "8443"], "http://img.example:8443"),
            (["X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"], "https://img.example"),
            (["X-Forwarded-Port": "0"], own),
            (["X-Forwarded-Port": "99999"], own),
            (["X-Forwarded-Host": "[2001:db8::1]", "X-Forwarded-Port": "81"], "http://[2001:db8::1]:81"),
            (["X-Forwarded-Prefix": "/image"], "\(own)/image"),
            (["X-Forwarded-Prefix": "/image/"], "\(own)/image"),
            (["X-Forwarded-Prefix": "image"], own),
            (["X-Forwarded-Prefix": "/im age"], own),
            (["X-Forwarded-Prefix": "/"], own),
        ] as [([String: String], String)]
    )
    func forerunners(_ headers: [String: String], _ base: String) {
        #expect(ClientAddress(of: .made(.get, "/", headers: headers), peer: nil, believesProxies: true).base == base)
    }

    @Test(
        "Forwarded gives them too, from its first proxy, and wins",
        arguments: [
            ("proto=https;host=api.example", "https://api.example", "10.0.0.9"),
            ("for=192.0.2.60;Proto=http;By=203.0.113.43", own, "192.0.2.60"),
            ("for=\"[2001:db8::17]:4711\", for=192.0.2.1;proto=https", own, "2001:db8::17"),
            ("host=\"api.example:8443\"", "http://api.example:8443", "10.0.0.9"),
            ("host=\"a,b;c\";proto=https", "https://img.example:9292", "10.0.0.9"),
            ("for=unknown", own, "10.0.0.9"),
            ("for=_hidden;host=one.example;host=two.example", "http://one.example", "10.0.0.9"),
            (";;=,=", own, "10.0.0.9"),
        ]
    )
    func forwarded(_ value: String, _ base: String, _ client: String) {
        let headers = ["Forwarded": value, "X-Forwarded-Host": "loser.example", "X-Forwarded-For": "198.51.100.1"]
        let address = ClientAddress(of: .made(.get, "/", headers: headers), peer: "10.0.0.9", believesProxies: true)
        #expect(address.base == base)
        #expect(address.client == client)
    }

    @Test(
        "the client of X-Forwarded-For is the first address, if it is one",
        arguments: [
            ("192.0.2.7, 10.0.0.1", "192.0.2.7"), ("192.0.2.7:555", "192.0.2.7"), ("2001:db8::9", "2001:db8::9"),
            ("nobody", "10.0.0.9"), ("192.0.2.7\u{1b}[2J", "10.0.0.9"),
        ]
    )
    func client(_ value: String, _ client: String) {
        let request = Request.made(.get, "/", headers: ["X-Forwarded-For": value])
        #expect(ClientAddress(of: request, peer: "10.0.0.9", believesProxies: true).client == client)
    }
}
