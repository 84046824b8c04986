internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import WireJSON

/// The body of an error in the form that `Accept` asks for: HTML, JSON or plain text (Image API v2, "Errors").
struct ErrorDocument {
    var status: HTTPResponse.Status
    var explanation: String

    enum Form: Equatable { case plain, html, json }

    /// HTML is preferred where HTML and JSON match equally; what matches neither gets plain text, as does no `Accept`.
    static func form(accept: String?) -> Form {
        guard let accept, !accept.isEmpty else { return .plain }
        var html = Preference()
        var json = Preference()
        for range in accept.split(separator: ",") {
            let parts = range.split(separator: ";")
            guard let type = parts.first.map({ trimmed($0).lowercased() }) else { continue }
            var quality = 1.0
            for parameter in parts.dropFirst() {
                let text = trimmed(parameter).lowercased()
                if text.hasPrefix("q=") { quality = Double(text.dropFirst(2)) ?? 0 }
            }
            switch type {
            case "text/html": html.take(quality, precision: 3)
            case "application/json": json.take(quality, precision: 3)
            case "text/*": html.take(quality, precision: 2)
            case "application/*": json.take(quality, precision: 2)
            case "*/*":
                html.take(quality, precision: 1)
                json.take(quality, precision: 1)
            default: break
            }
        }
        if html.quality > 0, html.quality >= json.quality { return .html }
        return json.quality > 0 ? .json : .plain
    }

    /// What `Accept` says of one media type: the most precise range that matches it counts (RFC 9110 §12.5.1).
    private struct Preference {
        var quality = 0.0
        var precision = 0

        mutating func take(_ quality: Double, precision: Int) {
            guard precision >= self.precision else { return }
            self.quality = precision > self.precision ? quality : max(self.quality, quality)
            self.precision = precision
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
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
                      \(escaped(explanation))<br /><br />



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

    /// The explanation may quote what the client sent.
    private func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#x27;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
