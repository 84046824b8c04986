import RegistryContract
import Testing

@Suite("Lists of ranges")
struct RangeListTests {
    @Test(
        "are read as they are written",
        arguments: [
            ([], ""), ([0..<1], "0-0"), ([0..<10, 10..<20], "0-9,10-19"),
            ([3..<4, 7..<Int64.max], "3-3,7-9223372036854775806"),
        ] as [([Range<Int64>], String)]
    )
    func roundTrip(_ ranges: [Range<Int64>], _ text: String) {
        #expect(RangeList.text(ranges) == text)
        #expect(RangeList.ranges(text) == ranges)
    }

    @Test(
        "are refused when malformed, backwards or overlapping",
        arguments: [
            "1", "-", "1-", "-1", "2-1", "a-b", "0-9,9-12", "5-6,0-1", "0-9223372036854775807", "1-2-3", "--1-2",
        ]
    )
    func malformed(_ text: String) {
        #expect(RangeList.ranges(text) == nil)
    }
}
