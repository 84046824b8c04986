/// The relative links of a list: the request's own parameters, without or with a new marker.
struct PageLinks {
    private let query: String

    init(parameters: [(name: String, value: String)]) {
        query = parameters.filter { $0.name != "marker" }
            .map { "\(RequestTarget.encode($0.name))=\(RequestTarget.encode($0.value))" }
            .joined(separator: "&")
    }

    var first: String { query.isEmpty ? "/v2/images" : "/v2/images?\(query)" }

    func next(after marker: String) -> String {
        "/v2/images?\(query.isEmpty ? "" : query + "&")marker=\(RequestTarget.encode(marker))"
    }
}
