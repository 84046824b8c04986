import Digests
import ImageModel
import Testing
import WireJSON

@testable import Identity

@Suite("Parts of Keystone identity")
struct KeystonePartsTests {
    @Test("a URL is absolute, plain, and without a slash at its end")
    func urls() {
        for text in [
            "", "host", "/v3", "ftp://h/v3", "http:///v3", "http://u@h/", "http://h/?q", "http://h/ a", "http://h/\"",
        ] {
            #expect(KeystoneURL(text) == nil, "\(text)")
        }
        #expect(KeystoneURL("HTTPS://h:5000/v3//")?.description == "https://h:5000/v3")
        #expect(KeystoneURL("http://h")?.appending("/v3").description == "http://h/v3")
    }

    @Test("a link never leads out of TLS")
    func links() {
        let secure = KeystoneURL("https://id.example/identity")
        #expect(secure?.following("http://10.0.0.1:5000/v3/")?.description == "https://id.example/v3")
        #expect(secure?.following("/identity/v3")?.description == "https://id.example/identity/v3")
        #expect(secure?.following("https://other.example/v3")?.description == "https://other.example/v3")
        #expect(KeystoneURL("http://a/")?.following("http://b/v3")?.description == "http://b/v3")
        #expect(secure?.following("ftp://x/v3") == nil)
    }

    @Test("each way to log in has its document")
    func credentials() {
        func text(_ credential: KeystoneCredential) -> String { String(decoding: credential.request, as: UTF8.self) }
        #expect(
            text(.application(credential: .id("c"), secret: "s"))
                == #"{"auth":{"identity":{"methods":["application_credential"],"application_credential":"#
                + #"{"id":"c","secret":"s"}}}}"#
        )
        #expect(
            text(.application(credential: .name("n", user: .id("u")), secret: "s"))
                == #"{"auth":{"identity":{"methods":["application_credential"],"application_credential":"#
                + #"{"name":"n","secret":"s","user":{"id":"u"}}}}}"#
        )
        for (scope, expected) in [
            (KeystoneCredential.Scope.system("all"), #""scope":{"system":{"all":true}}"#),
            (.trust("t"), #""scope":{"OS-TRUST:trust":{"id":"t"}}"#),
            (.domain(.name("D")), #""scope":{"domain":{"name":"D"}}"#),
            (.project(.id("p")), #""scope":{"project":{"id":"p"}}"#),
        ] {
            #expect(text(.password(user: .id("u"), password: "p\"", scope: scope)).contains(expected))
        }
    }

    @Test(
        "access rules: * and {name} are a part of a path, ** is any number of parts",
        arguments: [
            ("/v2/images", "/v2/images", true), ("/v2/images", "/v2/images/", false),
            ("/v2/images/*", "/v2/images/1", true), ("/v2/images/*", "/v2/images/", false),
            ("/v2/images/*", "/v2/images/1/file", false), ("/v2/images/{id}/file", "/v2/images/12/file", true),
            ("/v2/images/{id}/file", "/v2/images//file", false), ("/v2/**", "/v2/images/1/file", true),
            ("/v2/**", "/v2/", true), ("/v2/**/file", "/v2/images/1/file", true), ("/v2/**/file", "/v2/file", false),
            ("**", "", true), ("/a*c", "/abbc", true), ("/a*c", "/ac", false), ("/a.c", "/abc", false),
            ("/{", "/{", true), ("/v2/images", "/V2/images", false),
        ]
    )
    func patterns(pattern: String, path: String, expected: Bool) {
        let rule = AccessRule(service: "image", method: "get", path: pattern)
        #expect(rule.allows("GET", path, of: "image") == expected)
        #expect(!rule.allows("PUT", path, of: "image"))
        #expect(!rule.allows("GET", path, of: "volume"))
    }

    @Test("a hostile pattern takes no longer than its length")
    func hostilePattern() {
        let rule = AccessRule(service: "s", method: "GET", path: String(repeating: "**a", count: 200) + "b")
        let start = ContinuousClock.now
        #expect(!rule.allows("GET", String(repeating: "a", count: 2_000), of: "s"))
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test("what is used stays, and the rest goes when there is no room")
    func recentlyUsed() {
        var values = RecentlyUsed<Int, Int>(capacity: 100)
        values[-1] = 1
        for key in 0..<10_000 {
            values[key] = key
            if key.isMultiple(of: 20) { #expect(values[-1] == 1) }
            #expect(values.count <= 100)
        }
        #expect(values[9_999] == 9_999)
        #expect(values[5] == nil)
        values[-1] = nil
        #expect(values[-1] == nil)
    }

    @Test("an entry of the shared cache comes back whole, whatever the scope")
    func entries() throws {
        var caller = Caller(user: "u", project: "p", roles: ["Member"])
        caller.token.userDomain = "d"
        caller.token.isAdminProject = false
        let rule = AccessRule(service: "image", method: "GET", path: "/v2/**")
        for scope in [CallerToken.Scope.project, .domain("x"), .system("all")] {
            for rules in [nil, [], [rule]] {
                caller.token.scope = scope
                let token = KeystoneToken(
                    expiry: Timestamp(microseconds: 7),
                    caller: caller,
                    accessRules: rules,
                    serviceTypes: ["image"]
                )
                let entry = TokenEntry(token: token, confirmed: Timestamp(seconds: 3))
                #expect(try TokenEntry(json: JSONValue(parsing: entry.jsonBytes)) == entry)
            }
        }
        #expect(throws: JSONShapeError.self) { try TokenEntry(json: ["version": 2]) }
    }

    @Test("a sealed entry opens with its secret, under its name, unchanged; and hides what it should")
    func protection() {
        let key = TokenKey("token", allowsExpired: false)
        let entry = Array("{\"user\":\"somebody\"}".utf8)
        for protection in [TokenProtection.signed(secret: "a"), .encrypted(secret: "a")] {
            let name = protection.name(of: key)
            let sealed = protection.seal(entry, name: name)
            #expect(protection.open(sealed, name: name) == entry)
            #expect(protection.open(sealed, name: name + "x") == nil)
            for index in sealed.indices {
                var changed = sealed
                changed[index] ^= 1
                #expect(protection.open(changed, name: name) == nil)
            }
            for count in 0..<sealed.count { #expect(protection.open(Array(sealed.prefix(count)), name: name) == nil) }
        }
        let sealed = TokenProtection.encrypted(secret: "a").seal(entry, name: "n")
        #expect(TokenProtection.encrypted(secret: "b").open(sealed, name: "n") == nil)
        #expect(!String(decoding: sealed, as: UTF8.self).contains("somebody"))
        let names = [TokenProtection.none, .signed(secret: "a"), .signed(secret: "b")].map { $0.name(of: key) }
        #expect(Set(names + [TokenProtection.none.name(of: TokenKey("token", allowsExpired: true))]).count == 4)
        #expect(names.allSatisfy { !$0.contains("token-token") && $0.utf8.count < 250 })
    }

    @Test("replies of memcached are read in pieces of any size, and nothing else is")
    func replies() throws {
        let stream = Array("VALUE k 0 5\r\na\r\nbc\r\nEND\r\nEND\r\nSTORED\r\nSERVER_ERROR full\r\n".utf8)
        for size in 1...stream.count {
            var reader = MemcachedReplyReader()
            var replies: [MemcachedReply] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                reader.feed(stream[start..<min(start + size, stream.count)])
                while let reply = try reader.next() { replies.append(reply) }
            }
            #expect(replies == [.value(Array("a\r\nbc".utf8)), .miss, .stored, .refused])
        }
        for text in [
            "ERROR\r\n", "\r\n", "VALUE k 0\r\n", "VALUE k 0 -1\r\n", "VALUE k 0 99999999\r\n",
            "VALUE k 0 1\r\nabc\r\nEND\r\n", String(repeating: "x", count: 600), "HTTP/1.1 400 Bad Request\r\n",
        ] {
            var reader = MemcachedReplyReader()
            reader.feed(text.utf8)
            #expect(throws: MemcachedReplyReader.Garbage.self, "\(text)") { _ = try reader.next() }
        }
    }

    @Test("servers are named as memcached's clients name them")
    func servers() {
        for (text, host, port) in [
            ("h", "h", 11_211), ("h:1", "h", 1), ("[::1]:2", "::1", 2), ("::1", "::1", 11_211),
            ("inet6:[::1]:3", "::1", 3), ("inet:127.0.0.1:4", "127.0.0.1", 4),
        ] {
            let server = MemcachedSettings.Server(text)
            #expect(server?.host == host && server?.port == port, "\(text)")
        }
        for text in ["", ":1", "h:0", "h:x", "h:", "/run/memcached.sock", "[]:1"] {
            #expect(MemcachedSettings.Server(text) == nil, "\(text)")
        }
    }
}
