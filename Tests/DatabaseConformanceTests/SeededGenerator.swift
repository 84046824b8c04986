import Foundation

/// Random numbers that a seed repeats (SplitMix64). `TEST_SEED` in the environment chooses the seed; a test that fails
/// says which it had.
struct SeededGenerator: RandomNumberGenerator {
    static let seed =
        ProcessInfo.processInfo.environment["TEST_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...999_999)

    private var state: UInt64

    init(seed: UInt64 = Self.seed) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
