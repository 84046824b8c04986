internal import WireJSON

/// Ranges of bytes as text: `0-9,20-29`, both ends included, as HTTP writes them.
public enum RangeList {
    public static func text(_ ranges: [Range<Int64>]) -> String {
        ranges.map { "\($0.lowerBound)-\($0.upperBound - 1)" }.joined(separator: ",")
    }

    /// - Returns: `nil` unless each range lies behind the one before it.
    public static func ranges(_ text: String) -> [Range<Int64>]? {
        var ranges: [Range<Int64>] = []
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
            guard ends.count == 2, let first = ends[0], let last = ends[1], last >= first, last < .max,
                first >= (ranges.last?.upperBound ?? 0)
            else { return nil }
            ranges.append(first..<last + 1)
        }
        return ranges
    }

    static func ranges(_ members: JSONMembers, _ name: String) throws(JSONShapeError) -> [Range<Int64>] {
        guard let ranges = ranges(try members.string(name)) else {
            throw JSONShapeError(member: name, reason: "is no list of ranges")
        }
        return ranges
    }
}
