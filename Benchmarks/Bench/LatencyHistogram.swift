/// Durations counted in buckets that are at most 1/128 wide of their value, so that memory is constant and the error of
/// a percentile below 1 %.
struct LatencyHistogram: Sendable {
    private static let bits = 7
    private static let perOctave = 1 << bits

    private var counts = [UInt32](repeating: 0, count: (64 - bits + 1) * perOctave)
    private(set) var count = 0
    private(set) var maxNanoseconds: Int64 = 0

    mutating func record(nanoseconds: Int64) {
        counts[Self.bucket(UInt64(max(nanoseconds, 0)))] += 1
        count += 1
        maxNanoseconds = max(maxNanoseconds, nanoseconds)
    }

    mutating func merge(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        count += other.count
        maxNanoseconds = max(maxNanoseconds, other.maxNanoseconds)
    }

    /// - Parameter fraction: 0.5 for the median, 0.99 for the 99th percentile.
    /// - Returns: the upper end of the bucket in which the duration of that rank lies; 0 if there are none.
    func nanoseconds(atFraction fraction: Double) -> Int64 {
        let rank = max(1, Int((fraction * Double(count)).rounded(.up)))
        var seen = 0
        for index in counts.indices {
            seen += Int(counts[index])
            if seen >= rank { return min(Self.upperEnd(of: index), maxNanoseconds) }
        }
        return maxNanoseconds
    }

    private static func bucket(_ value: UInt64) -> Int {
        let shift = max(0, 63 - value.leadingZeroBitCount - bits)
        return shift * perOctave + Int(value >> UInt64(shift))
    }

    private static func upperEnd(of bucket: Int) -> Int64 {
        let shift = max(0, bucket / perOctave - 1)
        let value = UInt64(bucket - shift * perOctave)
        return Int64(clamping: ((value + 1) << UInt64(shift)) - 1)
    }
}
