internal import ImageModel
internal import ServiceKit

/// The path and the query of a request, decoded. An encoded slash counts as a slash.
struct RequestTarget: Sendable, Equatable {
    /// The path's segments; `/a/` has an empty last one.
    var segments: [String]
    /// Names and values in the order in which they came; one without `=` has an empty value.
    var query: [(name: String, value: String)]
    /// The query as it was sent.
    var rawQuery: String

    /// The longest that is read, in bytes: what Glance's own server took in one line (`max_header_line`).
    static let lengthLimit = 16 << 10

    /// - Throws: `targetTooLong`; `invalidRequest` when the path or the query, once decoded, is not UTF-8 or
    ///   holds a null character, which no database keeps alike.
    init(_ text: String) throws(ServiceError) {
        guard text.utf8.count <= Self.lengthLimit else {
            throw ServiceError(.targetTooLong, "The URL is longer than \(Self.lengthLimit) bytes.")
        }
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = try Self.decode(parts.first ?? "", plusIsSpace: false)
        segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        rawQuery = parts.count > 1 ? String(parts[1]) : ""
        query = []
        for item in rawQuery.split(separator: "&") {
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query.append(
                (
                    name: try Self.decode(pair[0], plusIsSpace: true),
                    value: pair.count > 1 ? try Self.decode(pair[1], plusIsSpace: true) : ""
                )
            )
        }
    }

    private static func decode(_ text: Substring, plusIsSpace: Bool) throws(ServiceError) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard rest.count >= 2, let high = hexadecimal(rest.first), let low = hexadecimal(rest.dropFirst().first)
                else {
                    // Not an escape: taken as it stands, as web frameworks do.
                    bytes.append(byte)
                    continue
                }
                rest = rest.dropFirst(2)
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace:
                bytes.append(UInt8(ascii: " "))
            default:
                bytes.append(byte)
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw ServiceError(
                .invalidRequest,
                "Error decoding your request. Either the URL or the request body contained characters that could not be decoded by Glance"
            )
        }
        guard !bytes.contains(0) else {
            throw ServiceError(
                .invalidRequest,
                "The URL holds a null character (%00), which cannot be kept or looked for."
            )
        }
        return decoded
    }

    private static func hexadecimal(_ byte: UInt8?) -> UInt8? {
        guard let byte, byte < 0x80 else { return nil }
        return Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init)
    }

    /// Encodes a value for a query (RFC 3986 §2.3, with spaces as `+`, as web forms have them).
    static func encode(_ text: String) -> String {
        text.split(separator: " ", omittingEmptySubsequences: false).map { String($0).percentEscaped }
            .joined(separator: "+")
    }

    static func == (one: RequestTarget, other: RequestTarget) -> Bool {
        one.segments == other.segments && one.rawQuery == other.rawQuery
    }
}
