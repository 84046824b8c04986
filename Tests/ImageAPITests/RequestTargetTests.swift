import ImageModel
import Testing

@testable import ImageAPI

@Suite("Request targets")
struct RequestTargetTests {
    static let paths: [(String, [String])] = [
        ("/", [""]), ("/v2", ["v2"]), ("/v2/", ["v2", ""]), ("/v2/images", ["v2", "images"]),
        ("//v2", ["", "v2"]), ("/v2//images", ["v2", "", "images"]), ("", []),
        ("/tags/a%20b", ["tags", "a b"]), ("/tags/a+b", ["tags", "a+b"]), ("/tags/caf%C3%A9", ["tags", "café"]),
        ("/tags/café", ["tags", "café"]), ("/tags/%F0%9F%98%80", ["tags", "\u{1F600}"]),
        ("/tags/a%2Fb", ["tags", "a", "b"]), ("/tags/a%2fb", ["tags", "a", "b"]), ("/tags/%252F", ["tags", "%2F"]),
        ("/tags/%3F", ["tags", "?"]), ("/tags/100%", ["tags", "100%"]), ("/tags/%zz", ["tags", "%zz"]),
        ("/tags/%2", ["tags", "%2"]), ("/tags/%+1", ["tags", "%+1"]),
    ]

    @Test("a path is decoded and then taken apart")
    func path() throws {
        for (text, segments) in Self.paths { #expect(try RequestTarget(text).segments == segments, "\(text)") }
    }

    static let queries: [(String, [String])] = [
        ("", []), ("?", []), ("?a=b", ["a=b"]), ("?a", ["a="]), ("?a=", ["a="]), ("?=b", ["=b"]),
        ("?a=b=c", ["a=b=c"]), ("?a=1&a=2", ["a=1", "a=2"]), ("?&&a=1&", ["a=1"]), ("?a=x+y", ["a=x y"]),
        ("?a=x%2By", ["a=x+y"]), ("?a+b=c", ["a b=c"]), ("?a=%26&b=%3D", ["a=&", "b=="]), ("?a=b?c", ["a=b?c"]),
        ("?a=%2F", ["a=/"]), ("?a=%E2%82%AC", ["a=€"]), ("?a=5%", ["a=5%"]),
    ]

    @Test("a query is taken apart and then decoded, plus signs as blanks")
    func query() throws {
        for (text, pairs) in Self.queries {
            let target = try RequestTarget("/v2/images" + text)
            #expect(target.query.map { "\($0.name)=\($0.value)" } == pairs, "\(text)")
            #expect(target.segments == ["v2", "images"], "\(text)")
            #expect(target.rawQuery == text.dropFirst(), "\(text)")
        }
    }

    @Test(
        "what is not UTF-8 once decoded is refused",
        arguments: [
            "/%FF", "/v2/images?name=%FF", "/v2/images?%C3=1", "/v2/images/%C3", "/%ED%A0%80", "/%C0%AF",
        ]
    )
    func notUTF8(_ text: String) {
        let error = #expect(throws: ServiceError.self) { try RequestTarget(text) }
        #expect(error?.code == .invalidRequest)
        #expect(error?.message.hasPrefix("Error decoding your request.") == true)
    }

    @Test(
        "a null character is refused wherever it is, before anybody has to keep it or look for it",
        arguments: [
            "/%00", "/v2/images/x/tags/a%00", "/v2/images?name=a%00b", "/v2/images?%00=1", "/v2/images?tag=%00",
        ]
    )
    func null(_ text: String) {
        let error = #expect(throws: ServiceError.self) { try RequestTarget(text) }
        #expect(error?.code == .invalidRequest)
        #expect(error?.message == "The URL holds a null character (%00), which cannot be kept or looked for.")
    }

    @Test("whatever is encoded is decoded again")
    func roundTrip() throws {
        let text = (1...0x24F).compactMap(Unicode.Scalar.init).map { String($0) }.joined() + "\u{1F600}"
        let target = try RequestTarget("/?\(RequestTarget.encode(text))=\(RequestTarget.encode(text))")
        #expect(target.query.first?.name == text)
        #expect(target.query.first?.value == text)
        #expect(RequestTarget.encode("aZ09-_.~") == "aZ09-_.~")
        #expect(RequestTarget.encode("a b&c=d/é+") == "a+b%26c%3Dd%2F%C3%A9%2B")
    }

    @Test("links to pages keep the request's parameters, and have one marker")
    func pageLinks() {
        let bare = PageLinks(parameters: [])
        #expect(bare.first == "/v2/images")
        #expect(bare.next(after: "m1") == "/v2/images?marker=m1")

        let links = PageLinks(
            parameters: [("limit", "2"), ("marker", "old"), ("name", "in:a,\"b c\""), ("tag", "x"), ("tag", "y&z")]
        )
        #expect(links.first == "/v2/images?limit=2&name=in%3Aa%2C%22b+c%22&tag=x&tag=y%26z")
        #expect(links.next(after: "new") == links.first + "&marker=new")
        #expect(PageLinks(parameters: [("marker", "old")]).first == "/v2/images")
    }

    @Test("a URL of 16 KiB is read, a longer one refused")
    func length() throws {
        let path = "/v2/images?name="
        let longest = path + String(repeating: "x", count: RequestTarget.lengthLimit - path.utf8.count)
        #expect(try RequestTarget(longest).query.count == 1)
        let error = #expect(throws: ServiceError.self) { try RequestTarget(longest + "x") }
        #expect(error?.code == .targetTooLong)
    }
}
