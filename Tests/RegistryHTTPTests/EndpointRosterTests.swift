import Testing

@testable import RegistryHTTP

@Suite("Which registry is next, and which gets none")
struct EndpointRosterTests {
    private typealias Outcome = EndpointRoster.Outcome

    @Test("exchanges go to each in turn while all are equal")
    func turns() {
        var roster = EndpointRoster(count: 3)
        var chosen: [Int] = []
        for _ in 0..<6 {
            let index = roster.begin(avoiding: [])
            chosen.append(index)
            #expect(roster.end(index, .answered, jitter: 1) == .none)
        }
        #expect(chosen.sorted() == [0, 0, 1, 1, 2, 2])
        #expect(Set(chosen.prefix(3)).count == 3)
    }

    @Test("the one with the fewest exchanges gets the next")
    func fewest() {
        var roster = EndpointRoster(count: 2)
        let slow = roster.begin(avoiding: [])
        for _ in 0..<4 {
            let index = roster.begin(avoiding: [])
            #expect(index != slow)
            _ = roster.end(index, .answered, jitter: 1)
        }
    }

    @Test("those that were tried are passed over, unless there are no others")
    func tried() {
        var roster = EndpointRoster(count: 2)
        #expect(roster.begin(avoiding: [0]) == 1)
        #expect(roster.begin(avoiding: [1]) == 0)
        _ = roster.begin(avoiding: [0, 1])
        // One that is out is better than one that was tried just now.
        _ = roster.end(1, .notReached, jitter: 1)
        #expect(roster.begin(avoiding: [0]) == 1)
    }

    @Test(
        "how often something must happen in a row before a registry is taken out",
        arguments: [
            (.notReached, 1), (.timedOut, 1), (.leaving, 1), (.broken, 3), (.unavailable, 3), (.answered, nil),
            (.overloaded, nil), (.notAsked, nil),
        ] as [(EndpointRoster.Outcome, Int?)]
    )
    func takenOut(_ outcome: EndpointRoster.Outcome, _ needed: Int?) {
        var roster = EndpointRoster(count: 2)
        for count in 1...10 {
            _ = roster.begin(avoiding: [1])
            let action = roster.end(0, outcome, jitter: 0.5)
            if count == needed {
                #expect(action == .takeOut(probeAfter: .milliseconds(50)))
            } else {
                #expect(action == .none, "after \(count)")
            }
            #expect(roster.isOut(0) == (needed.map { count >= $0 } ?? false), "after \(count)")
        }
        #expect(!roster.isOut(1))
    }

    @Test("an answer between two faults begins the count anew")
    func reset() {
        var roster = EndpointRoster(count: 1)
        for _ in 0..<5 {
            for outcome in [Outcome.broken, .broken, .answered] {
                _ = roster.begin(avoiding: [])
                #expect(roster.end(0, outcome, jitter: 1) == .none)
            }
        }
    }

    @Test("one that is out gets nothing, and comes back with a healthy probe; pauses grow up to a bound")
    func probes() {
        var roster = EndpointRoster(count: 2)
        _ = roster.begin(avoiding: [1])
        #expect(roster.end(0, .notReached, jitter: 1) == .takeOut(probeAfter: .milliseconds(100)))
        for _ in 0..<5 { #expect(roster.begin(avoiding: []) == 1) }
        var pauses: [Duration] = []
        for _ in 0..<20 {
            guard case .probeAgain(let pause) = roster.probed(0, isHealthy: false, jitter: 1) else {
                Issue.record("an unhealthy one is probed again")
                return
            }
            pauses.append(pause)
        }
        #expect(pauses.prefix(3) == [.milliseconds(200), .milliseconds(400), .milliseconds(800)])
        #expect(pauses.last == .seconds(5))
        #expect(roster.probed(0, isHealthy: true, jitter: 1) == .bringBack)
        #expect(roster.begin(avoiding: []) == 0)
        #expect(roster.probed(0, isHealthy: true, jitter: 1) == .none, "it is back already")
    }

    @Test("while all are out all are tried, and an answer brings one back")
    func allOut() {
        var roster = EndpointRoster(count: 2)
        for index in 0...1 {
            _ = roster.begin(avoiding: [1 - index])
            _ = roster.end(index, .timedOut, jitter: 1)
        }
        let first = roster.begin(avoiding: [])
        #expect(roster.begin(avoiding: [first]) == 1 - first)
        #expect(roster.end(first, .answered, jitter: 1) == .bringBack)
        #expect(!roster.isOut(first) && roster.isOut(1 - first))
    }

    @Test("whatever happens, every registry that is out is waited for by exactly one probe")
    func oneProbe() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededNumbers(seed: seed)
        var roster = EndpointRoster(count: 3)
        var probes = [0, 0, 0]
        var running: [Int] = []
        for step in 0..<20_000 {
            var action = EndpointRoster.Action.none
            var index = Int.random(in: 0..<3, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                index = roster.begin(avoiding: Set((0..<3).filter { _ in Bool.random(using: &random) }))
                running.append(index)
            case 1 where !running.isEmpty:
                index = running.remove(at: Int.random(in: 0..<running.count, using: &random))
                let outcome = Outcome.allCases.randomElement(using: &random) ?? .answered
                action = roster.end(index, outcome, jitter: 1)
            default:
                guard probes[index] > 0 else { continue }
                probes[index] -= 1
                action = roster.probed(index, isHealthy: Bool.random(using: &random), jitter: 1)
            }
            switch action {
            case .takeOut, .probeAgain: probes[index] += 1
            case .none, .bringBack: break
            }
            if roster.isOut(index), probes[index] == 0 {
                Issue.record("seed \(seed), step \(step): registry \(index) is out for ever")
                return
            }
        }
    }

    @Test("repetitions to overloaded registries come to a fifth of the calls and a few besides")
    func budget() {
        var budget = RetryBudget()
        let free = (0..<1_000).count { _ in budget.spend() }
        #expect(free == 50)
        var spent = 0
        for _ in 0..<1_000 {
            budget.call()
            if budget.spend() { spent += 1 }
        }
        #expect((195...205).contains(spent))
    }
}

/// SplitMix64: numbers that a seed repeats.
private struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
