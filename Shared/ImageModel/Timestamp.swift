/// A moment in UTC, in microseconds since 1970: what the database keeps and sorts by.
public struct Timestamp: Sendable, Hashable, Comparable {
    public var microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }
    public init(seconds: Int64) { microseconds = seconds * 1_000_000 }

    public static func < (one: Timestamp, other: Timestamp) -> Bool { one.microseconds < other.microseconds }

    public func advanced(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return Timestamp(microseconds: microseconds + seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }
}

extension Timestamp {
    /// The fields of the civil calendar (proleptic Gregorian).
    public var civil: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, microsecond: Int) {
        let secondsTotal = microseconds.quotient(dividingBy: 1_000_000)
        let days = Int(secondsTotal.quotient(dividingBy: 86_400))
        let second = Int(secondsTotal) - days * 86_400
        // Days to civil date: eras of 400 years, which all have 146 097 days; a year begins in March.
        let shifted = days + 719_468
        let era = shifted.quotient(dividingBy: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (
            year, month, day, second / 3_600, second / 60 % 60, second % 60,
            Int(microseconds - secondsTotal * 1_000_000)
        )
    }

    /// - Returns: `nil` for a date or time that does not exist.
    public init?(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, microsecond: Int = 0)
    {
        guard (1...9999).contains(year), (1...12).contains(month), (0..<24).contains(hour), (0..<60).contains(minute),
            (0...60).contains(second), (0..<1_000_000).contains(microsecond)
        else { return nil }
        let leap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
        let lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day >= 1, day <= lengths[month - 1] else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear.quotient(dividingBy: 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        let seconds = Int64(days) * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
        self.init(microseconds: seconds * 1_000_000 + Int64(microsecond))
    }

    /// `YYYY-MM-DDThh:mm:ssZ`, as the Image API shows times.
    public var text: String {
        let civil = civil
        func append(_ value: Int, _ digits: Int, to bytes: inout [UInt8]) {
            var divisor = 1
            for _ in 1..<digits { divisor *= 10 }
            while divisor > 0 {
                bytes.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
                divisor /= 10
            }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(20)
        append(civil.year, 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(civil.month, 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(civil.day, 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        append(civil.hour, 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(civil.minute, 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(civil.second, 2, to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension FixedWidthInteger {
    /// The quotient rounded towards minus infinity.
    fileprivate func quotient(dividingBy divisor: Self) -> Self {
        self >= 0 ? self / divisor : (self - (divisor - 1)) / divisor
    }
}
