internal import ImageModel

/// The part of an image's data that a request asks for (Image API v2, "Download", and RFC 9110 §14).
enum ByteRange {
    /// - Parameters:
    ///   - range: The `Range` header; looked at first.
    ///   - contentRange: The old clients' `Content-Range` request header.
    ///   - size: Length of the data, at least 0.
    /// - Returns: `nil` when the whole is asked for.
    /// - Throws: `rangeNotSatisfiable`, or `invalidRequest` for several ranges at once.
    static func requested(range: String?, contentRange: String?, size: Int64) throws(ServiceError) -> Range<Int64>? {
        if let range { return try parse(range: range, size) }
        if let contentRange { return try parse(contentRange: contentRange, size) }
        return nil
    }

    private static func parse(range: String, _ size: Int64) throws(ServiceError) -> Range<Int64> {
        let invalid = ServiceError(.rangeNotSatisfiable, "Invalid Range header.")
        guard !range.contains(",") else {
            throw ServiceError(
                .invalidRequest,
                "Requests with multiple ranges are not supported in Glance. Please make multiple single-range requests instead."
            )
        }
        guard range.hasPrefix("bytes="), let (first, last) = bounds(range.dropFirst("bytes=".count)) else {
            throw invalid
        }
        switch (first, last) {
        case (let first?, let last):
            if let last, last < first { throw invalid }
            guard first < size else {
                throw ServiceError(
                    .rangeNotSatisfiable,
                    "Invalid start position in Range header. Start position MUST be in the inclusive range [0, \(size - 1)]."
                )
            }
            return first..<(min(last ?? size - 1, size - 1) + 1)
        case (nil, let suffix?):
            guard suffix > 0, size > 0 else { throw invalid }
            return max(0, size - suffix)..<size
        case (nil, nil):
            throw invalid
        }
    }

    private static func parse(contentRange: String, _ size: Int64) throws(ServiceError) -> Range<Int64> {
        let invalid = ServiceError(.rangeNotSatisfiable, "Invalid Content-Range header.")
        guard contentRange.hasPrefix("bytes ") else { throw invalid }
        let parts = contentRange.dropFirst("bytes ".count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, case (let first?, let last?)? = bounds(parts[0]), first <= last else { throw invalid }
        if parts[1] != "*" {
            guard let total = number(parts[1]), last < total else { throw invalid }
            guard first < size else {
                throw ServiceError(
                    .rangeNotSatisfiable,
                    "Invalid start position in Content-Range header. Start position MUST be in the inclusive range [0, \(size - 1)]."
                )
            }
        }
        guard last < size else {
            throw ServiceError(
                .rangeNotSatisfiable,
                "Invalid stop position in Content-Range header. Stop position MUST be in the inclusive range [0, \(size - 1)]."
            )
        }
        return first..<(last + 1)
    }

    /// `first-last`, either of which may be missing.
    private static func bounds(_ text: Substring) -> (Int64?, Int64?)? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let first = number(parts[0])
        let last = number(parts[1])
        guard (first != nil || parts[0].isEmpty) && (last != nil || parts[1].isEmpty) else { return nil }
        return (first, last)
    }

    /// Digits and nothing else; numbers beyond 63 bits count as the largest.
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return Int64(text) ?? Int64.max - 1
    }
}
