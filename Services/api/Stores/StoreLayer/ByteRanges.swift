/// A set of bytes, as ranges in order that neither overlap nor touch.
public struct ByteRanges: Sendable, Hashable {
    public private(set) var ranges: [Range<Int64>] = []

    public init(_ ranges: [Range<Int64>] = []) {
        for range in ranges { insert(range) }
    }

    public mutating func insert(_ range: Range<Int64>) {
        guard !range.isEmpty else { return }
        let first = ranges.firstIndex { $0.upperBound >= range.lowerBound } ?? ranges.endIndex
        let end = ranges[first...].firstIndex { $0.lowerBound > range.upperBound } ?? ranges.endIndex
        let touched = ranges[first..<end]
        let lower = min(range.lowerBound, touched.first?.lowerBound ?? range.lowerBound)
        let upper = max(range.upperBound, touched.last?.upperBound ?? range.upperBound)
        ranges.replaceSubrange(first..<end, with: [lower..<upper])
    }

    /// The first byte at or behind an offset that is not in the set.
    public func firstGap(from offset: Int64) -> Int64 {
        ranges.first { $0.contains(offset) }?.upperBound ?? offset
    }

    /// How many bytes of a range are there from its beginning on without a gap.
    public func prefixCount(of range: Range<Int64>) -> Int64 {
        min(firstGap(from: range.lowerBound), range.upperBound) - range.lowerBound
    }
}
