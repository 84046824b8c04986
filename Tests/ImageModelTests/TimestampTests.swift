import ImageModel
import Testing

@Suite("Timestamps")
struct TimestampTests {
    @Test(
        "seconds since 1970 are shown as civil time",
        arguments: [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_772_359_200, "2026-03-01T10:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (-86_400, "1969-12-31T00:00:00Z"),
            (-2_203_891_200, "1900-03-01T00:00:00Z"),
            (-62_135_596_800, "0001-01-01T00:00:00Z"),
        ] as [(Int64, String)]
    )
    func text(seconds: Int64, text: String) {
        #expect(Timestamp(seconds: seconds).text == text)
        #expect(Timestamp(iso8601: text) == Timestamp(seconds: seconds))
    }

    @Test("a fraction is kept and not shown, before 1970 as well")
    func fraction() {
        #expect(Timestamp(microseconds: -1).text == "1969-12-31T23:59:59Z")
        #expect(Timestamp(microseconds: -1).civil.microsecond == 999_999)
        #expect(Timestamp(microseconds: 1_999_999).text == "1970-01-01T00:00:01Z")
    }

    /// 400 years repeat themselves; every day of them, and the days around the year 1.
    @Test("every day comes back from its civil date", arguments: [1, 1969, 2000] as [Int])
    func everyDay(firstYear: Int) throws {
        let first = try #require(Timestamp(year: firstYear, month: 1, day: 1))
        var expected = (year: firstYear, month: 1, day: 1)
        for day in 0..<146_097 {
            let moment = Timestamp(microseconds: first.microseconds + Int64(day) * 86_400_000_000 + 45_296_000_007)
            let civil = moment.civil
            guard (civil.year, civil.month, civil.day) == expected,
                (civil.hour, civil.minute, civil.second, civil.microsecond) == (12, 34, 56, 7),
                Timestamp(
                    year: civil.year,
                    month: civil.month,
                    day: civil.day,
                    hour: 12,
                    minute: 34,
                    second: 56,
                    microsecond: 7
                ) == moment
            else {
                Issue.record("day \(day) after \(firstYear)-01-01: \(civil)")
                return
            }
            let leap = expected.year % 4 == 0 && (expected.year % 100 != 0 || expected.year % 400 == 0)
            let lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            expected.day += 1
            if expected.day > lengths[expected.month - 1] { (expected.month, expected.day) = (expected.month + 1, 1) }
            if expected.month > 12 { (expected.year, expected.month) = (expected.year + 1, 1) }
        }
    }

    @Test(
        "dates that do not exist are refused",
        arguments: [
            (2023, 2, 29), (1900, 2, 29), (2100, 2, 29), (2024, 2, 30), (2024, 4, 31), (2024, 0, 1), (2024, 13, 1),
            (2024, 1, 0), (2024, 1, 32), (0, 1, 1), (10_000, 1, 1),
        ]
    )
    func noSuchDate(year: Int, month: Int, day: Int) {
        #expect(Timestamp(year: year, month: month, day: day) == nil)
    }

    @Test("earlier is less, and time can be added")
    func arithmetic() {
        #expect(Timestamp(microseconds: -1) < Timestamp(microseconds: 0))
        #expect(Timestamp(seconds: 10).advanced(by: .milliseconds(-1_500)) == Timestamp(microseconds: 8_500_000))
    }

    @Test(
        "times are read in the forms of ISO 8601",
        arguments: [
            ("2024-02-29", "2024-02-29T00:00:00Z", 0),
            ("2024-02", "2024-02-01T00:00:00Z", 0),
            ("2024", "2024-01-01T00:00:00Z", 0),
            ("20240229", "2024-02-29T00:00:00Z", 0),
            ("2024-2-9", "2024-02-09T00:00:00Z", 0),
            ("2024-02-29T12", "2024-02-29T12:00:00Z", 0),
            ("2024-02-29T12:34", "2024-02-29T12:34:00Z", 0),
            ("2024-02-29T12:34:56", "2024-02-29T12:34:56Z", 0),
            ("2024-02-29 12:34:56", "2024-02-29T12:34:56Z", 0),
            ("20240229T123456Z", "2024-02-29T12:34:56Z", 0),
            ("2024-02-29T12:34:56.5Z", "2024-02-29T12:34:56Z", 500_000),
            ("2024-02-29T12:34:56,000001", "2024-02-29T12:34:56Z", 1),
            ("2024-02-29T12:34:56.1234569Z", "2024-02-29T12:34:56Z", 123_456),
            ("2024-02-29T12:34:56+02:00", "2024-02-29T10:34:56Z", 0),
            ("2024-02-29T12:34:56-0230", "2024-02-29T15:04:56Z", 0),
            ("2024-02-29T12:34:56.25+05", "2024-02-29T07:34:56Z", 250_000),
            ("2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00Z", 0),
            ("2024-02-29T12:34Z", "2024-02-29T12:34:00Z", 0),
        ]
    )
    func iso8601(text: String, shown: String, microsecond: Int) throws {
        let time = try #require(Timestamp(iso8601: text))
        #expect(time.text == shown)
        #expect(time.civil.microsecond == microsecond)
    }

    @Test(
        "other texts are no times",
        arguments: [
            "", "x", "202", "202402", "2024-", "2024-13-01", "2023-02-29", "2024-01-01T", "2024-01-01T24:00:00",
            "2024-01-01T12:60", "2024-01-01T12:", "2024-01-01T12:30:", "2024-01-01T12:30:00.", "2024-01-01T1",
            "2024-01-01T12:30:00+", "2024-01-01T12:30:00+24:00", "2024-01-01T12:30:00+01:60", "2024-01-01T12:30:00+1",
            "2024-01-01T12:30:00ZZ", "2024-01-01T12:30:00Zx", " 2024-01-01", "2024-01-01 ", "2024-01-01x12:00",
            "2024-01-01T12:30:00 02:00", "٢٠٢٤-01-01", "2024-01-01Z",
        ]
    )
    func noTime(text: String) {
        #expect(Timestamp(iso8601: text) == nil)
    }
}
