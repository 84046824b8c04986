import HTTPTypes
import Hummingbird
import NIOCore

extension Request {
    /// A request without a body, as it reaches the API.
    static func made(
        _ method: HTTPRequest.Method = .get,
        _ path: String = "/v2/images",
        headers: [String: String] = [:]
    ) -> Request {
        var fields = HTTPFields()
        for (name, value) in headers {
            guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no header's name") }
            fields[name] = value
        }
        return Request(
            head: HTTPRequest(
                method: method,
                scheme: "http",
                authority: "img.example:9292",
                path: path,
                headerFields: fields
            ),
            body: RequestBody(buffer: ByteBuffer())
        )
    }
}

extension Response {
    /// A header by its name; `nil` when it is not there.
    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
}
