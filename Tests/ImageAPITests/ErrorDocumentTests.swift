import HTTPTypes
import Hummingbird
import ImageModel
import Testing
import WireJSON

@testable import ImageAPI

@Suite("Error documents")
struct ErrorDocumentTests {
    /// Image API v2, "Errors"; precedence of ranges after RFC 9110 §12.5.1.
    static let forms: [(accept: String?, ErrorDocument.Form)] = [
        (nil, .plain), ("", .plain), ("text/plain", .plain), ("application/octet-stream", .plain),
        ("application/vnd.openstack.images-v2.1", .plain), ("image/*, audio/ogg", .plain),
        ("application/json", .json), ("application/*", .json), ("APPLICATION/JSON", .json),
        ("application/json;q=0.1", .json), ("application/json, text/plain", .json),
        (" application/json ; charset=utf-8 ; q=0.5 ", .json),
        ("*/*", .html), ("text/html", .html), ("text/*", .html), ("text/html, application/json", .html),
        ("application/json, text/html", .html), ("application/json, */*", .html),
        ("application/json, */*;q=0.5", .json), ("text/html;q=0.5, application/json", .json),
        ("text/html;q=0.5, application/json;q=0.4", .html), ("text/html;q=0, application/json", .json),
        ("text/html;q=0", .plain), ("*/*;q=0", .plain), ("text/html;q=0, */*", .json),
        ("text/html;q=0.1, */*;q=0.9", .json), ("*/*, application/json;q=0.1", .html),
        ("text/html;q=bad, application/json;q=0.1", .json), (",,;", .plain),
    ]

    @Test("the form is the one that Accept likes best, HTML where it likes two equally")
    func negotiation() {
        for (accept, form) in Self.forms {
            #expect(ErrorDocument.form(accept: accept) == form, "\(accept ?? "none")")
        }
    }

    private let document = ErrorDocument(status: .notFound, explanation: "No image \"a\" & <b>'s\nleft")

    @Test("plain text is one line of explanation between its lines")
    func plain() async throws {
        let answer = try await document.response(accept: nil, isHead: false).collected()
        #expect(answer.status == .notFound)
        #expect(answer.headers[.contentType] == "text/plain; charset=UTF-8")
        #expect(answer.body == "404 Not Found\n\nNo image \"a\" & <b>'s left\n\n   ")
    }

    @Test("JSON has message, code and title")
    func json() async throws {
        let answer = try await document.response(accept: "application/json", isHead: false).collected()
        #expect(answer.headers[.contentType] == "application/json")
        #expect(
            answer.body
                == #"{"message":"No image \"a\" & <b>'s\nleft","code":"404 Not Found","title":"Not Found"}"#
        )
    }

    @Test("HTML escapes what a client may have sent")
    func html() async throws {
        let answer = try await document.response(accept: "*/*", isHead: false).collected()
        #expect(answer.headers[.contentType] == "text/html; charset=UTF-8")
        #expect(
            answer.body == """
                <html>
                 <head>
                  <title>404 Not Found</title>
                 </head>
                 <body>
                  <h1>404 Not Found</h1>
                  No image &quot;a&quot; &amp; &lt;b&gt;&#x27;s
                left<br /><br />



                 </body>
                </html>
                """
        )
    }

    @Test("HEAD gets the status and no body", arguments: [nil, "application/json", "*/*"])
    func head(_ accept: String?) async throws {
        let answer = try await document.response(accept: accept, isHead: true).collected()
        #expect(answer.status == .notFound)
        #expect(answer.headers[.contentType] == "text/html; charset=UTF-8")
        #expect(answer.body.isEmpty)
    }

    @Test("every failure has its status and reason phrase")
    func statuses() {
        let lines: [(ServiceError.Code, String)] = ServiceError.Code.allCases.map { ($0, $0.line) }
        for (code, line) in lines {
            let status = code.status
            #expect("\(status.code) \(status.reasonPhrase)" == line, "\(code)")
        }
    }
}

extension ServiceError.Code {
    /// Image API v2, "Errors".
    fileprivate var line: String {
        switch self {
        case .invalidRequest: "400 Bad Request"
        case .unauthenticated: "401 Unauthorized"
        case .forbidden: "403 Forbidden"
        case .notFound: "404 Not Found"
        case .conflict: "409 Conflict"
        case .gone: "410 Gone"
        case .preconditionFailed: "412 Precondition Failed"
        case .limitExceeded: "413 Request Entity Too Large"
        case .unsupportedMediaType: "415 Unsupported Media Type"
        case .checksumMismatch: "460 Checksum Mismatch"
        case .rangeNotSatisfiable: "416 Request Range Not Satisfiable"
        case .headerTooLarge: "431 Request Header Fields Too Large"
        case .targetTooLong: "414 Request-URI Too Long"
        case .unavailable, .tooExpensive: "503 Service Unavailable"
        case .internalError: "500 Internal Server Error"
        }
    }
}
