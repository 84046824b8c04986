extension Timestamp {
    /// Reads a time as the list filters take it: `YYYY-MM-DDThh:mm:ss`, also with a fraction (after `.` or `,`; cut
    /// beyond microseconds), with `Z` or an offset (no zone means UTC), without separators, with a blank for the `T`,
    /// and shortened from its end down to the year (ISO 8601).
    ///
    /// - Returns: `nil` for anything else, and for a time that does not exist.
    public init?(iso8601 text: String) {
        var scanner = Scanner(bytes: Array(text.utf8))
        guard let year = scanner.digits(4...4) else { return nil }
        var month = 1
        var day = 1
        var time = (hour: 0, minute: 0, second: 0, microsecond: 0)
        var offsetMinutes = 0
        if !scanner.isAtEnd {
            let dashed = scanner.take("-")
            guard let value = scanner.digits(dashed ? 1...2 : 2...2), dashed || !scanner.isAtEnd else { return nil }
            month = value
        }
        if !scanner.isAtEnd {
            guard let value = scanner.digits(scanner.take("-") ? 1...2 : 2...2) else { return nil }
            day = value
        }
        if !scanner.isAtEnd {
            guard scanner.take("T") || scanner.take(" "), let value = scanner.time() else { return nil }
            time = value
        }
        if !scanner.isAtEnd {
            guard let value = scanner.offset(), scanner.isAtEnd else { return nil }
            offsetMinutes = value
        }
        let local = Timestamp(
            year: year,
            month: month,
            day: day,
            hour: time.hour,
            minute: time.minute,
            second: time.second,
            microsecond: time.microsecond
        )
        guard let local else { return nil }
        self = local.advanced(by: .seconds(-60 * offsetMinutes))
    }
}

private struct Scanner {
    let bytes: [UInt8]
    var position = 0

    var isAtEnd: Bool { position == bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private var nextDigit: Int? {
        guard position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) else {
            return nil
        }
        return Int(bytes[position] - UInt8(ascii: "0"))
    }

    /// As many digits as there are, within the range.
    mutating func digits(_ count: ClosedRange<Int>) -> Int? {
        var value = 0
        var taken = 0
        while taken < count.upperBound, let digit = nextDigit {
            value = value * 10 + digit
            taken += 1
            position += 1
        }
        return count.contains(taken) ? value : nil
    }

    mutating func time() -> (hour: Int, minute: Int, second: Int, microsecond: Int)? {
        guard let hour = digits(2...2) else { return nil }
        var time = (hour: hour, minute: 0, second: 0, microsecond: 0)
        guard take(":") || nextDigit != nil else { return time }
        guard let minute = digits(2...2) else { return nil }
        time.minute = minute
        guard take(":") || nextDigit != nil else { return time }
        guard let second = digits(1...2) else { return nil }
        time.second = second
        guard take(".") || take(",") else { return time }
        guard nextDigit != nil else { return nil }
        var unit = 100_000
        while let digit = nextDigit {
            time.microsecond += digit * unit
            unit /= 10
            position += 1
        }
        return time
    }

    /// Minutes ahead of UTC.
    mutating func offset() -> Int? {
        if take("Z") { return 0 }
        let ahead = take("+")
        guard ahead || take("-"), let hours = digits(2...2), hours < 24 else { return nil }
        var minutes = 0
        if take(":") || nextDigit != nil {
            guard let value = digits(2...2), value < 60 else { return nil }
            minutes = value
        }
        return (ahead ? 1 : -1) * (hours * 60 + minutes)
    }
}
