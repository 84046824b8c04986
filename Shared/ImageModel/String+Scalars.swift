// Clients' texts are taken apart by Unicode scalar: Swift's characters would join a delimiter with a combining mark
// that follows it, and a carriage return with its line feed.

extension String {
    /// Without the white space around it.
    var trimmed: String {
        let start = unicodeScalars.drop { $0.properties.isWhitespace }
        guard let last = start.lastIndex(where: { !$0.properties.isWhitespace }) else { return "" }
        return String(start[...last])
    }

    /// The texts before and after the first separator; `nil` when there is none.
    func partitioned(at separator: Unicode.Scalar) -> (before: String, after: String)? {
        guard let index = unicodeScalars.firstIndex(of: separator) else { return nil }
        let after = unicodeScalars.index(after: index)
        return (String(unicodeScalars[..<index]), String(unicodeScalars[after...]))
    }

    /// The texts between separators, empty ones included.
    func parts(separatedBy separator: Unicode.Scalar) -> [String] {
        unicodeScalars.split(separator: separator, omittingEmptySubsequences: false).map { String($0) }
    }

    /// The beginning of a text, to be shown in an error: no client gets back much more than a name can be long.
    public var excerpt: String {
        guard let end = unicodeScalars.index(startIndex, offsetBy: 300, limitedBy: endIndex), end != endIndex else {
            return self
        }
        return String(unicodeScalars[..<end]) + "…"
    }

    /// An integer as Python's `int` reads it: with white space around it, a sign, and of any length. What 64 bits
    /// cannot hold becomes the nearest that they can.
    var clampedInteger: Int64? {
        let digits = trimmed.utf8
        let isNegative = digits.first == UInt8(ascii: "-")
        let unsigned = isNegative || digits.first == UInt8(ascii: "+") ? digits.dropFirst() : digits[...]
        guard !unsigned.isEmpty else { return nil }
        var value: Int64 = 0
        for byte in unsigned {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let digit = Int64(byte - UInt8(ascii: "0"))
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, beyond) = product.addingReportingOverflow(isNegative ? -digit : digit)
            if tooLarge || beyond { value = isNegative ? .min : .max } else { value = sum }
        }
        return value
    }
}
