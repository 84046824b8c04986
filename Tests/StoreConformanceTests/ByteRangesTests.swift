import StoreLayer
import Testing

@Suite("Byte ranges")
struct ByteRangesTests {
    @Test("are what a set of single bytes would be, in whatever order they come")
    func model() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("byte ranges, seed \(seed)")
        var random = SeededRandom(seed)
        for _ in 0..<200 {
            var ranges = ByteRanges()
            var bytes: Set<Int64> = []
            for _ in 0..<12 {
                let start = Int64.random(in: 0..<40, using: &random)
                let range = start..<start + Int64.random(in: 0..<8, using: &random)
                ranges.insert(range)
                bytes.formUnion(range)
                #expect(Set(ranges.ranges.flatMap { Array($0) }) == bytes, "seed \(seed)")
                #expect(zip(ranges.ranges, ranges.ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
                #expect(ByteRanges(ranges.ranges.shuffled(using: &random)) == ranges)
            }
            for offset in Int64(0)..<50 {
                let gap = (offset...100).first { !bytes.contains($0) }
                #expect(ranges.firstGap(from: offset) == gap, "seed \(seed)")
                #expect(ranges.prefixCount(of: offset..<offset + 3) == min(3, (gap ?? 0) - offset), "seed \(seed)")
            }
        }
    }
}

/// Random numbers that a seed repeats (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
