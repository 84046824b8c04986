import HTTPTypes
import Hummingbird
import Testing

@testable import ImageAPI

@Suite("Web pages of other origins")
struct CrossOriginTests {
    private static let page = "https://dashboard.example"

    private var rules: CrossOrigin { CrossOrigin([dashboard]) }

    private var dashboard: CrossOrigin.Rules {
        var rules = CrossOrigin.Rules()
        rules.allowedOrigins = [Self.page]
        rules.exposedHeaders = ["X-Auth-Token", "X-OpenStack-Request-ID"]
        rules.allowedMethods = ["GET", "PUT"]
        rules.allowedHeaders = ["X-Auth-Token"]
        return rules
    }

    private func marked(_ rules: CrossOrigin, origin: String?) -> Response {
        var response = Response(status: .ok, headers: [.vary: "Accept"])
        rules.mark(&response, for: .made(headers: origin.map { ["Origin": $0] } ?? [:]))
        return response
    }

    @Test("a page of an allowed origin may read answers")
    func allowed() {
        let response = marked(rules, origin: Self.page)
        #expect(response.header("Access-Control-Allow-Origin") == Self.page)
        #expect(response.header("Access-Control-Allow-Credentials") == "true")
        #expect(response.header("Access-Control-Expose-Headers") == "X-Auth-Token,X-OpenStack-Request-ID")
        #expect(response.header("Vary") == "Accept, Origin")
    }

    @Test("other answers are not touched", arguments: ["https://evil.example", "", "null", nil])
    func untouched(_ origin: String?) {
        #expect(marked(rules, origin: origin).header("Vary") == "Accept")
        #expect(marked(rules, origin: origin).header("Access-Control-Allow-Origin") == nil)
        #expect(marked(CrossOrigin(), origin: Self.page).header("Access-Control-Allow-Origin") == nil)
    }

    @Test("a star allows any origin")
    func star() {
        var anyone = dashboard
        anyone.allowedOrigins = ["*"]
        anyone.allowsCredentials = false
        let response = marked(CrossOrigin([anyone]), origin: "https://anyone.example")
        #expect(response.header("Access-Control-Allow-Origin") == "*")
        #expect(response.header("Access-Control-Allow-Credentials") == nil)
    }

    @Test("origins have rules of their own: the first that names them, and the star for the rest")
    func sections() {
        var anyone = dashboard
        anyone.allowedOrigins = ["*"]
        anyone.exposedHeaders = ["X-Anyone"]
        var later = dashboard
        later.allowedOrigins = [Self.page, "https://later.example"]
        later.exposedHeaders = ["X-Later"]
        let rules = CrossOrigin([anyone, dashboard, later])
        let exposed = { (origin: String) in
            self.marked(rules, origin: origin).header("Access-Control-Expose-Headers")
        }
        #expect(exposed(Self.page) == "X-Auth-Token,X-OpenStack-Request-ID")
        #expect(exposed("https://later.example") == "X-Later")
        #expect(exposed("https://anyone.example") == "X-Anyone")
    }

    private func preflight(_ origin: String? = page, method: String? = "PUT", headers: String? = nil) -> Response? {
        var fields: [String: String] = [:]
        fields["Origin"] = origin
        fields["Access-Control-Request-Method"] = method
        fields["Access-Control-Request-Headers"] = headers
        return rules.preflight(.made(.options, headers: fields))
    }

    @Test("a browser that asks first is told what it may")
    func asked() throws {
        let response = try #require(preflight(headers: "x-auth-token, Content-Type"))
        #expect(response.status == .ok)
        #expect(response.header("Access-Control-Allow-Origin") == Self.page)
        #expect(response.header("Access-Control-Allow-Methods") == "PUT")
        #expect(response.header("Access-Control-Allow-Headers") == "x-auth-token,Content-Type")
        #expect(response.header("Access-Control-Max-Age") == "3600")
        #expect(response.header("Vary") == "Origin")
    }

    @Test(
        "what is not allowed shows by what is missing",
        arguments: [("PATCH", nil), ("put", nil), ("PUT", "X-Evil"), ("PUT", "X-Auth-Token, X-Evil")]
            as [(String, String?)]
    )
    func refused(_ method: String, _ headers: String?) throws {
        let response = try #require(preflight(method: method, headers: headers))
        #expect(response.status == .ok)
        #expect(response.header("Access-Control-Allow-Origin") == nil)
        #expect(response.header("Access-Control-Allow-Methods") == nil)
    }

    @Test("OPTIONS that is no question of an allowed page goes its own way")
    func noPreflight() {
        #expect(preflight("https://evil.example") == nil)
        #expect(preflight(nil) == nil)
        #expect(preflight(method: nil) == nil)
        #expect(
            rules.preflight(.made(.get, headers: ["Origin": Self.page, "Access-Control-Request-Method": "PUT"])) == nil
        )
    }

    @Test("a page may use the tus protocol where resumable uploads are, whatever is configured")
    func uploads() {
        let ask = [
            "Origin": Self.page, "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "Tus-Resumable, upload-offset",
        ]
        for path in ["/v2/images/1/uploads", "/v2/images/1/uploads/2"] {
            let answer = rules.preflight(.made(.options, path, headers: ask))
            #expect(answer?.header("Access-Control-Allow-Methods") == "PATCH")
            var response = Response(status: .ok)
            rules.mark(&response, for: .made(.head, path, headers: ["Origin": Self.page]))
            let exposed = response.header("Access-Control-Expose-Headers")?.split(separator: ",") ?? []
            #expect(exposed.contains("Upload-Offset") && exposed.contains("X-Auth-Token"))
        }
        for path in ["/v2/images/1/file", "/v2/images/uploads", "/uploads"] {
            let answer = rules.preflight(.made(.options, path, headers: ask))
            #expect(answer?.header("Access-Control-Allow-Methods") == nil, "\(path)")
        }
    }
}
