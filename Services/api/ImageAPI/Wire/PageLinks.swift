/// The relative links of a list: the request's own parameters, without or with a new marker.
struct PageLinks {
    private let path: String
    private let query: String

    init(of path: String = "/v2/images", parameters: [(name: String, value: String)]) {
        self.path = path
        query = parameters.filter { $0.name != "marker" }
            .map { "\(RequestTarget.encode($0.name))=\(RequestTarget.encode($0.value))" }
            .joined(separator: "&")
    }

    var first: String { query.isEmpty ? path : "\(path)?\(query)" }

    func next(after marker: String) -> String {
        "\(path)?\(query.isEmpty ? "" : query + "&")marker=\(RequestTarget.encode(marker))"
    }
}
