/// Statements have `?` for their values everywhere; PostgreSQL numbers them: `$1`, `$2`, …
enum PostgreSQLPlaceholders {
    /// The statement as PostgreSQL wants it, and how many values it takes.
    ///
    /// A `?` within a literal, a quoted name or a comment stays one. PostgreSQL's operators that contain a `?` cannot
    /// be written; the portable statements have no use for them.
    static func number(_ sql: String) -> (sql: String, count: Int) {
        let source = Array(sql.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(source.count + 16)
        var count = 0
        var position = 0
        while position < source.count {
            let end = endOfQuotation(in: source, from: position)
            if end > position {
                result += source[position..<end]
                position = end
            } else if source[position] == UInt8(ascii: "?") {
                count += 1
                result += Array("$\(count)".utf8)
                position += 1
            } else {
                result.append(source[position])
                position += 1
            }
        }
        return (String(decoding: result, as: UTF8.self), count)
    }

    /// Where what begins at `start` ends, if that is a literal, a quoted name or a comment; otherwise `start`.
    private static func endOfQuotation(in source: [UInt8], from start: Int) -> Int {
        let rest = source[start...]
        switch source[start] {
        case UInt8(ascii: "'"):
            return endOfQuote(in: source, from: start, hasEscapes: isEscapeString(source, before: start))
        case UInt8(ascii: "\""):
            return endOfQuote(in: source, from: start, hasEscapes: false)
        case UInt8(ascii: "-") where rest.starts(with: "--".utf8):
            return rest.firstIndex(of: UInt8(ascii: "\n")) ?? source.count
        case UInt8(ascii: "/") where rest.starts(with: "/*".utf8):
            return endOfComment(in: source, from: start)
        case UInt8(ascii: "$"):
            return endOfDollarQuote(in: source, from: start)
        default:
            return start
        }
    }

    /// A doubled quote ends one text and begins the next, which comes to the same.
    private static func endOfQuote(in source: [UInt8], from start: Int, hasEscapes: Bool) -> Int {
        var position = start + 1
        while position < source.count {
            if hasEscapes, source[position] == UInt8(ascii: "\\") {
                position += 2
            } else if source[position] == source[start] {
                return position + 1
            } else {
                position += 1
            }
        }
        return source.count
    }

    /// Whether the quote at `start` belongs to a text of the form `E'…'`.
    private static func isEscapeString(_ source: [UInt8], before start: Int) -> Bool {
        guard start > 0, source[start - 1] | 0x20 == UInt8(ascii: "e") else { return false }
        return start == 1 || !isWordByte(source[start - 2])
    }

    /// PostgreSQL's comments nest.
    private static func endOfComment(in source: [UInt8], from start: Int) -> Int {
        var depth = 0
        var position = start
        while position < source.count {
            let rest = source[position...]
            if rest.starts(with: "/*".utf8) {
                depth += 1
                position += 2
            } else if rest.starts(with: "*/".utf8) {
                depth -= 1
                position += 2
                if depth == 0 { return position }
            } else {
                position += 1
            }
        }
        return source.count
    }

    /// `$$…$$` or `$name$…$name$`.
    private static func endOfDollarQuote(in source: [UInt8], from start: Int) -> Int {
        guard start == 0 || !isWordByte(source[start - 1]),
            let close = source[(start + 1)...].firstIndex(where: { !isWordByte($0) }),
            source[close] == UInt8(ascii: "$"),
            start + 1 == close || !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(source[start + 1])
        else { return start }
        let mark = source[start...close]
        var position = close + 1
        while position < source.count {
            if source[position...].starts(with: mark) { return position + mark.count }
            position += 1
        }
        return source.count
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default:
            false
        }
    }
}
