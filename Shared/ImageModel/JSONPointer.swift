/// Where in a record a change applies (RFC 6901, with the API's own bounds).
struct JSONPointer: Equatable {
    /// Decoded, at least one.
    var tokens: [String]

    /// - Throws: ``ServiceError`` (`invalidRequest`).
    init(parsing text: String) throws(ServiceError) {
        func wrong(_ reason: String) -> ServiceError {
            ServiceError(.invalidRequest, "Pointer `\(text.excerpt)` \(reason)")
        }
        guard text.utf8.first == UInt8(ascii: "/") else { throw wrong("does not start with \"/\".") }
        let parts = String(text.unicodeScalars.dropFirst()).parts(separatedBy: "/")
        // "/" alone names the property "".
        guard !parts.dropLast().contains(where: { $0.trimmed.isEmpty }) else { throw wrong("contains adjacent \"/\".") }
        guard parts.count == 1 || parts.last != "" else { throw wrong("end with \"/\".") }
        tokens = []
        for part in parts {
            guard let token = Self.decode(part.trimmed) else {
                throw wrong("contains \"~\" not part of a recognized escape sequence.")
            }
            tokens.append(token)
        }
    }

    private static func decode(_ part: String) -> String? {
        var decoded = String.UnicodeScalarView()
        var scalars = part.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "~" else {
                decoded.append(scalar)
                continue
            }
            switch scalars.next() {
            case "0": decoded.append("~")
            case "1": decoded.append("/")
            default: return nil
            }
        }
        return String(decoded)
    }
}
