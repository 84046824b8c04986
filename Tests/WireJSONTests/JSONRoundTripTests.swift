import Glibc
import Testing
import WireJSON

/// SplitMix64: the same seed, the same documents.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

@Suite("JSON there and back")
struct JSONRoundTripTests {
    /// `WIREJSON_SEED` repeats an earlier run.
    private static let seed: UInt64 = {
        let given = getenv("WIREJSON_SEED").flatMap { UInt64(String(cString: $0)) }
        let seed = given ?? .random(in: 0...UInt64.max)
        print("WIREJSON_SEED=\(seed)")
        return seed
    }()

    @Test("what is written is read back the same")
    func roundTrip() throws {
        var generator = SeededGenerator(state: Self.seed)
        for round in 0..<2_000 {
            let value = Self.value(depth: 4, &generator)
            let read = try JSONValue(parsing: Array(value.text.utf8))
            #expect(read == value, "seed \(Self.seed), round \(round): \(value.text)")
            #expect(read.text == value.text, "seed \(Self.seed), round \(round)")
        }
    }

    @Test("a damaged document is read or refused, and never crashes the reader")
    func damage() {
        var generator = SeededGenerator(state: Self.seed)
        var refused = 0
        for _ in 0..<4_000 {
            var bytes = Array(Self.value(depth: 4, &generator).text.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] = UInt8.random(in: 0...255, using: &generator)
            }
            do throws(JSONSyntaxError) {
                _ = try JSONValue(parsing: bytes)
            } catch {
                refused += 1
                #expect((0...bytes.count).contains(error.offset), "seed \(Self.seed)")
            }
        }
        #expect(refused > 0, "seed \(Self.seed)")
    }

    private static func value(depth: Int, _ generator: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth == 0 ? 6 : 9), using: &generator) {
        case 0: return .null
        case 1: return .bool(.random(using: &generator))
        case 2: return .integer(.random(in: .min ... .max, using: &generator))
        case 3: return .integer(.random(in: -9...9, using: &generator))
        // Practically always beyond 64 bits: a double is read back as one.
        case 4: return .double(Double.random(in: -1e300...1e300, using: &generator))
        case 5, 6: return .string(text(&generator))
        case 7:
            let count = Int.random(in: 0...5, using: &generator)
            return .array((0..<count).map { _ in value(depth: depth - 1, &generator) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0...20, using: &generator) {
                object[text(&generator)] = value(depth: depth - 1, &generator)
            }
            return .object(object)
        }
    }

    private static func text(_ generator: inout SeededGenerator) -> String {
        let ranges: [ClosedRange<UInt32>] = [0...0x7F, 0x20...0x7E, 0x80...0xD7FF, 0xE000...0xFFFF, 0x10000...0x10FFFF]
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...8, using: &generator) {
            let code = UInt32.random(in: ranges.randomElement(using: &generator) ?? 0...0x7F, using: &generator)
            if let scalar = Unicode.Scalar(code) { text.append(scalar) }
        }
        return String(text)
    }
}
