internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import WireJSON

/// Who may ask for a service's health, where, and what the answer looks like (oslo.middleware, healthcheck).
public struct HealthCheck: Sendable {
    public var path = "/healthcheck"
    /// Whether HTML and JSON tell what decided.
    public var isDetailed = false
    /// Who is elsewhere gets 404; anybody may ask when empty. A Unix socket's other side has no address.
    public var allowedSources: [AddressRange] = []
    /// Whether requests that came through a proxy get 404.
    public var ignoresProxied = false

    public init() {}

    func mayAsk(_ headers: HTTPFields, peer: Peer) -> Bool {
        if !allowedSources.isEmpty {
            guard let address = peer.address, allowedSources.contains(where: { $0.contains(address) }) else {
                return false
            }
        }
        return !ignoresProxied || !Self.isProxied(headers)
    }

    /// Whether a proxy says that it passed the request on.
    static func isProxied(_ headers: HTTPFields) -> Bool {
        headers.contains { field in
            let name = field.name.canonicalName
            return name == "forwarded" || name.hasPrefix("x-forwarded-")
        }
    }

    /// `GET`: 200 and OK, or 503 and the reason, as text, HTML or JSON; `HEAD`: 204 or 503.
    func response(to method: HTTPRequest.Method, accept: String?, fault: HealthFault?) -> Response {
        switch method {
        case .head:
            return Response(status: fault == nil ? .noContent : .serviceUnavailable)
        case .get:
            let types = ["text/plain", "text/html", "application/json"]
            let type = accept.flatMap { MediaRanges(accept: $0).best(of: types) } ?? types[0]
            let body =
                switch type {
                case "application/json": json(fault)
                case "text/html": html(fault)
                default: fault?.reason ?? "OK"
                }
            return Response(
                status: fault == nil ? .ok : .serviceUnavailable,
                headers: [.contentType: type == "application/json" ? type : "\(type); charset=UTF-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: body))
            )
        default:
            return Response(status: .methodNotAllowed, headers: [.allow: "GET, HEAD"])
        }
    }

    private func json(_ fault: HealthFault?) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("detailed", isDetailed)
            guard isDetailed else { return writer.field("reasons", strings: [fault?.reason ?? "OK"]) }
            writer.field("reasons", array: [fault]) { writer, fault in
                writer.object { writer in
                    writer.field("reason", fault?.reason ?? "OK")
                    writer.field("details", fault?.details ?? "")
                }
            }
        }
        return writer.text
    }

    private func html(_ fault: HealthFault?) -> String {
        let details =
            isDetailed && fault?.details.isEmpty == false ? "<p>\((fault?.details ?? "").escapedForHTML)</p>" : ""
        return "<html><head><title>Healthcheck Status</title></head>"
            + "<body><h1>\((fault?.reason ?? "OK").escapedForHTML)</h1>\(details)</body></html>"
    }
}
