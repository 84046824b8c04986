public import WireJSON

extension ImagePatch {
    /// Reads the body of a change: shape, names, then values, operation by operation.
    ///
    /// - Throws: ``ServiceError``: `invalidRequest`, or `forbidden` for names that are read-only or reserved.
    public init(parsing body: JSONValue, dialect: PatchDialect, schema: ImageSchema) throws(ServiceError) {
        guard case .array(let elements) = body else {
            throw ServiceError(.invalidRequest, "Request body must be a JSON array of operation objects.")
        }
        operations = []
        for element in elements {
            guard case .object(let object) = element else {
                throw ServiceError(.invalidRequest, "Operations must be JSON objects.")
            }
            operations.append(try ImagePatchOperation(parsing: object, dialect: dialect, schema: schema))
        }
    }
}

private enum Verb: String, CaseIterable {
    case add, remove, replace
}

extension ImagePatchOperation {
    fileprivate init(parsing object: JSONObject, dialect: PatchDialect, schema: ImageSchema) throws(ServiceError) {
        let (verb, path) =
            switch dialect {
            case .v21: try Self.target21(object)
            case .v20: try Self.target20(object)
            }
        let tokens = try JSONPointer(parsing: path).tokens
        let name = PropertyName(tokens[0])
        guard tokens.count == Self.depth(of: name, verb) else {
            let shown = tokens.joined(separator: "/").excerpt
            throw ServiceError(.invalidRequest, "Invalid JSON pointer for this resource: '/\(shown)'")
        }
        guard verb != .remove else {
            try name.requireChangeable()
            self =
                name.text == "locations"
                ? .locations(.remove(at: LocationPosition(parsing: tokens[1]))) : .remove(name: name.text)
            return
        }
        guard let value = object["value"] else {
            throw ServiceError(.invalidRequest, "Operation \"\(verb.rawValue)\" requires a member named \"value\".")
        }
        try name.requireChangeable()
        if name.text == "locations" {
            self = .locations(try Self.locationChange(verb, tokens, value, schema))
            return
        }
        try schema.validate(field: name.text, value: value)
        let assignment: PatchAssignment = verb == .replace ? .replace : dialect == .v20 ? .insert : .put
        if let field = ImageField(rawValue: name.text) {
            self = .setField(try ImageFieldValue(field, validated: value), assignment)
        } else {
            if verb == .add { try name.requireLength() }
            self = .setProperty(name: name.text, value: value.stringValue, assignment)
        }
    }

    private static func target21(_ object: JSONObject) throws(ServiceError) -> (Verb, path: String) {
        guard let word = object["op"] else {
            throw ServiceError(.invalidRequest, "Unable to find `op` in JSON Schema change")
        }
        guard let verb = word.stringValue.flatMap(Verb.init(rawValue:)) else {
            let shown = (word.stringValue ?? word.text).excerpt
            let known = Verb.allCases.map(\.rawValue).joined(separator: ", ")
            throw ServiceError(
                .invalidRequest,
                "Invalid operation: `\(shown)`. It must be one of the following: \(known)."
            )
        }
        guard let path = object["path"] else {
            throw ServiceError(.invalidRequest, "Unable to find 'path' in JSON Schema change")
        }
        return (verb, try text(ofPath: path))
    }

    private static func target20(_ object: JSONObject) throws(ServiceError) -> (Verb, path: String) {
        let verbs = Verb.allCases.filter { object[$0.rawValue] != nil }
        guard let verb = verbs.first, let path = object[verb.rawValue] else {
            throw ServiceError(
                .invalidRequest,
                "Operation objects must contain exactly one member named \"add\", \"remove\", or \"replace\"."
            )
        }
        guard verbs.count == 1 else {
            throw ServiceError(
                .invalidRequest,
                "Operation objects must contain only one member named \"add\", \"remove\", or \"replace\"."
            )
        }
        return (verb, try text(ofPath: path))
    }

    private static func text(ofPath path: JSONValue) throws(ServiceError) -> String {
        guard let text = path.stringValue else {
            throw ServiceError(.invalidRequest, "The path of an operation must be a string.")
        }
        return text
    }

    private static func depth(of name: PropertyName, _ verb: Verb) -> Int {
        name.text == "locations" && verb != .replace ? 2 : 1
    }

    private static func locationChange(
        _ verb: Verb,
        _ tokens: [String],
        _ value: JSONValue,
        _ schema: ImageSchema
    ) throws(ServiceError) -> LocationChange {
        // Where one entry is added, it is judged as the only one of a list.
        let list = verb == .add ? .array([value]) : value
        try schema.validate(field: "locations", value: list)
        do throws(JSONShapeError) {
            if verb == .add {
                return .add(try LocationEntry(json: value), at: LocationPosition(parsing: tokens[1]))
            }
            var entries: [LocationEntry] = []
            for element in value.arrayValue ?? [] { entries.append(try LocationEntry(json: element)) }
            return .replace(entries)
        } catch {
            throw ServiceError(
                .invalidRequest,
                "Provided object does not match schema 'image': 'locations' \(error.member) \(error.reason).",
                cause: error
            )
        }
    }
}
