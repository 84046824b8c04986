internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ServiceKit
internal import WireJSON

/// The body of an error in the form that `Accept` asks for: HTML, JSON or plain text (Image API v2, "Errors").
struct ErrorDocument {
    var status: HTTPResponse.Status
    var explanation: String

    enum Form: Equatable { case plain, html, json }

    /// HTML is preferred where HTML and JSON match equally; what matches neither gets plain text, as does no `Accept`.
    static func form(accept: String?) -> Form {
        let types = ["text/html", "application/json"]
        return switch accept.flatMap({ MediaRanges(accept: $0).best(of: types) }) {
        case "text/html": .html
        case "application/json": .json
        default: .plain
        }
    }

    func response(accept: String?, isHead: Bool) -> Response {
        if isHead { return Response(status: status, headers: [.contentType: "text/html; charset=UTF-8"]) }
        let title = "\(status.code) \(status.reasonPhrase)"
        let (contentType, body): (String, String) =
            switch Self.form(accept: accept) {
            case .plain:
                (
                    "text/plain; charset=UTF-8",
                    "\(title)\n\n\(explanation.split(separator: "\n").joined(separator: " "))\n\n   "
                )
            case .html:
                (
                    "text/html; charset=UTF-8",
                    """
                    <html>
                     <head>
                      <title>\(title)</title>
                     </head>
                     <body>
                      <h1>\(title)</h1>
                      \(explanation.escapedForHTML)<br /><br />



                     </body>
                    </html>
                    """
                )
            case .json:
                ("application/json", json(title))
            }
        return Response(
            status: status,
            headers: [.contentType: contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: body))
        )
    }

    private func json(_ title: String) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("message", explanation)
            writer.field("code", title)
            writer.field("title", status.reasonPhrase)
        }
        return writer.text
    }
}
