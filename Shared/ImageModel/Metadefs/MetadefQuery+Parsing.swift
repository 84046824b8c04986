extension MetadefNamespaceQuery {
    /// Reads the parameters of a request; of one that is there twice the last value counts, and unknown ones are passed
    /// over.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`).
    public init(parameters: [(name: String, value: String)], paging: PageLimits = PageLimits()) throws(ServiceError) {
        let last = MetadefParameters(parameters)
        self.init(
            limit: min(Int(try last.limit(atLeast: 0) ?? Int64(paging.default)), paging.maximum),
            marker: last["marker"],
            sortKey: try last.word("sort_key") ?? .createdAt,
            direction: try last.word("sort_dir") ?? .descending,
            visibility: try last.word("visibility"),
            resourceTypes: last["resource_types"].map { $0.parts(separatedBy: ",").map(\.trimmed) }
        )
    }
}

extension MetadefTagQuery {
    /// Reads the parameters of a request.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`).
    public init(parameters: [(name: String, value: String)]) throws(ServiceError) {
        let last = MetadefParameters(parameters)
        try last.requireKnownVisibility()
        self.init(
            limit: try last.limit(atLeast: 0).map { Int($0) },
            marker: last["marker"],
            sortKey: try last.word("sort_key") ?? .createdAt,
            direction: try last.word("sort_dir") ?? .descending
        )
    }
}

extension MetadefObject {
    /// Judges the parameters of a list of objects, which is always whole: they are checked and change nothing.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`).
    public static func requireKnown(parameters: [(name: String, value: String)]) throws(ServiceError) {
        let last = MetadefParameters(parameters)
        _ = try last.limit(atLeast: 1)
        _ = try last.word("sort_dir", as: ImageSort.Direction.self)
        try last.requireKnownVisibility()
    }
}

/// The parameters of a request, each with its last value.
private struct MetadefParameters {
    private var values: [String: String] = [:]

    init(_ parameters: [(name: String, value: String)]) {
        for (name, value) in parameters { values[name] = value }
    }

    subscript(name: String) -> String? { values[name] }

    func limit(atLeast least: Int64) throws(ServiceError) -> Int64? {
        guard let text = values["limit"] else { return nil }
        guard let limit = text.clampedInteger else {
            throw ServiceError(.invalidRequest, "limit param must be an integer")
        }
        guard limit >= least else {
            throw ServiceError(.invalidRequest, "limit param must be \(least > 0 ? "positive" : "0 or more")")
        }
        return min(limit, Int64(Int32.max))
    }

    func word<Word: RawRepresentable<String> & CaseIterable>(
        _ name: String,
        as: Word.Type = Word.self
    ) throws(ServiceError) -> Word? {
        guard let text = values[name] else { return nil }
        guard let word = Word(rawValue: text) else {
            throw Self.unknown(name, text, Word.allCases.map(\.rawValue))
        }
        return word
    }

    /// Sub-resources have no visibility of their own; the parameter is checked all the same, as in the reference.
    func requireKnownVisibility() throws(ServiceError) {
        let known = ["public", "private", "shared"]
        if let text = values["visibility"], !known.contains(text) { throw Self.unknown("visibility", text, known) }
    }

    private static func unknown(_ name: String, _ text: String, _ known: [String]) -> ServiceError {
        ServiceError(
            .invalidRequest,
            "Invalid \(name) value: '\(text.excerpt)'. It must be one of the following: \(known.joined(separator: ", "))"
        )
    }
}
