import RegistryContract
import Testing

/// SplitMix64: the same numbers for the same seed.
private struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

@Suite("Times of exchanges")
struct RegistryTimesTests {
    @Test("what a registry tells is what the API reads")
    func header() {
        for (total, database) in [(0, 0), (812, 640), (812, 812), (86_400_000_000, 1)] {
            let times = RegistryTimes(total: .microseconds(total), database: .microseconds(database))
            #expect(times.headerValue == "\(total) \(database)")
            #expect(RegistryTimes(headerValue: times.headerValue) == times)
        }
    }

    @Test("the database has no more of it than the registry, and nobody less than nothing")
    func bounds() {
        #expect(RegistryTimes(total: .seconds(1), database: .seconds(2)).headerValue == "1000000 1000000")
        #expect(RegistryTimes(total: .seconds(-1), database: .seconds(-2)).headerValue == "0 0")
    }

    @Test(
        "what no registry tells is not believed",
        arguments: [
            "", "1", "1 2", "-1 0", "1 -1", "a b", "1 1 1", " 1 1", "1  1", "1.5 1", "86400000001 0",
            "99999999999999999999 1",
        ]
    )
    func malformed(_ value: String) {
        #expect(RegistryTimes(headerValue: value) == nil)
    }

    @Test("whatever registries say, no part is negative and the parts are all of what was waited")
    func parts() {
        let seed = UInt64.random(in: .min ... .max)
        var numbers = Numbers(state: seed)
        for round in 0..<2_000 {
            let share = RegistryShare()
            var sum = Duration.zero
            for _ in 0..<Int.random(in: 1...3, using: &numbers) {
                let duration = Duration.microseconds(Int.random(in: 0...2_000, using: &numbers))
                let told = (0..<Int.random(in: 0...3, using: &numbers)).map { _ in
                    RegistryTimes(
                        total: .microseconds(Int.random(in: 0...1_500, using: &numbers)),
                        database: .microseconds(Int.random(in: 0...1_500, using: &numbers))
                    )
                }
                share.add(duration, told: told)
                sum += duration
            }
            let parts = share.parts
            let isEach = parts.wire >= .zero && parts.registry >= .zero && parts.database >= .zero
            #expect(isEach && parts.sum == sum, "seed \(seed), round \(round): \(parts)")
        }
    }
}
