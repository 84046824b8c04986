import Testing

@testable import Fetching

@Suite("What may be fetched")
struct FetchRulesTests {
    private func rules(_ change: (inout FetchRules) -> Void = { _ in }) -> FetchRules {
        var rules = FetchRules()
        change(&rules)
        return rules
    }

    private func code(_ rules: FetchRules, _ text: String) throws -> FetchError.Code? {
        let url = try #require(FetchURL(text))
        do throws(FetchError) {
            try rules.requireAllowed(url)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("URLs are read in one way only, or not at all")
    func urls() throws {
        let read: [(String, String)] = [
            ("http://h", "http://h/"), ("HTTP://Host.Example/a?b#c", "http://host.example/a?b"),
            ("https://h:8443?q", "https://h:8443/?q"), ("http://[::1]:80/a", "http://[::1]:80/a"),
            ("http://[::ffff:127.0.0.1]/", "http://127.0.0.1/"), ("http://u:p%40ss@h/x", "http://h/x"),
        ]
        for (text, expected) in read { #expect(FetchURL(text)?.text == expected, "\(text)") }
        #expect(FetchURL("http://u:p%40ss@h/x")?.credentials == "u:p@ss")
        let refused = [
            "", "h", "//h", "http:", "http://", "http:///a", "file:///etc/passwd", "ftp://h/", "http://h:0/",
            "http://h:/",
            "http://h:99999/", "http://h:1x/", "http://user@h/", "http://a:b@c:d@h/", "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/", "http://0177.0.0.1/", "http://127.0.0.1./", "http://[::1/", "http://::1/",
            "http://[1.2.3.4]/",
            "http://[fe80::1%25eth0]/", "http://h\\@evil/", "http://h /", "http://h/\u{7F}", "http://h\n/", "http://é/",
            "http://h%2f/", "http://u:%zz@h/", "http://u:%0a@h/", "http://-h/", "http://.h/", "http+unix://h/",
        ]
        for text in refused { #expect(FetchURL(text) == nil, "\(text)") }
    }

    @Test("redirects lead where RFC 3986 says")
    func redirects() throws {
        let url = try #require(FetchURL("https://u:p@h:8443/a/b?c"))
        let cases: [(String, String?)] = [
            ("http://other/x", "http://other/x"), ("//other/x", "https://other/x"), ("/x", "https://h:8443/x"),
            ("x", "https://h:8443/a/x"), ("?d", "https://h:8443/a/b?d"), ("", "https://h:8443/a/"),
            ("file:///etc/passwd", nil), ("javascript:1", nil), ("http://127.1/", nil),
        ]
        for (location, expected) in cases { #expect(url.redirected(to: location)?.text == expected, "\(location)") }
        #expect(url.redirected(to: "/x")?.credentials == nil)
        let (same, other) = (try #require(FetchURL("https://h:8443/x")), try #require(FetchURL("http://h:8443/x")))
        #expect(url.hasSameOrigin(as: same))
        #expect(!url.hasSameOrigin(as: other))
    }

    @Test("per dimension the allowed list counts alone, else the disallowed one")
    func dimensions() throws {
        #expect(try code(rules(), "http://h/") == nil)
        #expect(try code(rules(), "https://h:443/") == nil)
        #expect(try code(rules(), "http://h:8080/") == .refused)
        #expect(try code(rules { $0.allowedPorts = [8080] }, "http://h/") == nil)
        #expect(try code(rules { $0.allowedPorts = [] }, "http://h:8080/") == nil)
        #expect(try code(rules { ($0.allowedPorts, $0.disallowedPorts) = ([], [22]) }, "http://h:22/") == .refused)
        #expect(try code(rules { ($0.allowedPorts, $0.disallowedPorts) = ([22], [22]) }, "http://h:22/") == nil)
        #expect(try code(rules { $0.allowedSchemes = ["HTTPS"] }, "http://h/") == .refused)
        #expect(try code(rules { ($0.allowedSchemes, $0.disallowedSchemes) = ([], ["http"]) }, "http://h/") == .refused)
        #expect(try code(rules { $0.allowedHosts = ["Other"] }, "http://h/") == .refused)
        #expect(try code(rules { $0.allowedHosts = ["H", "[::FFFF:1.2.3.4]"] }, "http://1.2.3.4/") == nil)
        #expect(try code(rules { $0.disallowedHosts = ["h"] }, "http://H/") == .refused)
    }

    @Test("an address that may be this machine or its link is too close")
    func closeness() throws {
        let close = [
            "127.0.0.1", "127.255.0.9", "0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1", "255.255.255.255", "::1",
            "::", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "fe80::1", "febf::1", "ff02::1",
            "64:ff9b::7f00:1", "2002:7f00:1::",
        ]
        for text in close { #expect(HostAddress(text)?.isTooClose == true, "\(text)") }
        let far = [
            "10.0.0.1", "172.16.0.1", "192.168.1.1", "8.8.8.8", "223.255.255.255", "169.253.0.1", "2001:db8::1",
            "fd00::1",
            "::ffff:10.0.0.1", "64:ff9b::a00:1", "fec0::1",
        ]
        for text in far { #expect(HostAddress(text)?.isTooClose == false, "\(text)") }
    }

    @Test("a name is judged by every address it has, unless the operator lists it")
    func addresses() throws {
        let url = try #require(FetchURL("http://mirror.example/"))
        let (far, near) = (try #require(HostAddress("10.0.0.1")), try #require(HostAddress("127.0.0.1")))
        #expect(try rules().requireAllowed([far], of: url) == far)
        for addresses in [[near], [far, near], []] {
            let error = #expect(throws: FetchError.self) { try rules().requireAllowed(addresses, of: url) }
            #expect(error?.code == .refused)
        }
        #expect(try rules { $0.allowedHosts = ["mirror.example"] }.requireAllowed([near], of: url) == near)
        let error = #expect(throws: FetchError.self) {
            try rules { $0.disallowedHosts = ["10.0.0.1"] }.requireAllowed([far], of: url)
        }
        #expect(error?.code == .refused)
    }
}
