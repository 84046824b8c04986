import NIOCore
import StoreLayer
import Synchronization
import Testing

/// Attempts, late discards and late deletions of one object, against each other, in an order that chance makes.
@Suite("Interleavings")
struct InterleavingTests {
    @Test(
        "the bytes of a confirmed attempt survive whatever earlier attempts do late",
        arguments: [StoreUnderTest.file, .memory],
        (0..<4).map { _ in UInt64.random(in: 0...UInt64.max) }
    )
    func confirmedBytesSurvive(_ subject: StoreUnderTest, _ seed: UInt64) async throws {
        print("interleaving of \(subject.testDescription), seed \(seed)")
        try await subject.withStore { store, names in
            let registry = Registry(seed: seed)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...150 {
                    // The registry's rule: what was at the name is settled before the next attempt begins.
                    try await registry.settle(store)
                    let lease = try await registry.begin(store, "object", attempt: "\(number)")
                    group.addTask { try await upload(lease, to: store, registry) }
                    for _ in 0..<registry.chance(3) {
                        group.addTask { try await disturb(store, registry) }
                    }
                    // Some leases end before their writer is through, which then meets its successors.
                    await pause(registry.chance(8))
                    if registry.chance(2) == 0 { await lease.end.pass() }
                    registry.expire(lease)
                }
                try await group.waitForAll()
            }
            #expect(registry.damages == [], "seed \(seed)")
            try await registry.settle(store)
            #expect(names() == [], "seed \(seed)")
        }
    }

    /// One writer, as slow and as often held up as chance wants.
    private func upload(_ lease: Lease, to store: any Store, _ registry: Registry) async throws {
        defer { lease.end.open() }
        let bytes = pattern(600_000, seed: lease.seed)
        do {
            await pause(registry.chance(6))
            let parts = Body(bytes)
            let body = Body { index in
                await pause(registry.chance(3))
                return try await parts.chunk(index)
            }
            let stored = try await store.write(lease.location, size: nil, body: body) {
                let holds = lease.holds
                // What is true now may no longer be so when it is acted upon.
                sleepBriefly(microseconds: UInt32(registry.chance(4)) * 1_000)
                return holds
            }
            await pause(registry.chance(3))
            guard registry.finish(lease, stored) else { return }
            try await store.confirm(lease.location)
            guard try await store.get(lease.location.url) == bytes || registry.isGone(lease) else {
                return registry.report("attempt \(lease.location.attempt) has other bytes")
            }
        } catch let error as StoreError where [.superseded, .alreadyExists].contains(error.code) {
            // It lost; what it left is the registry's to discard.
        } catch let error as StoreError where error.code == .notFound && registry.isGone(lease) {
            // Deleted in an orderly way while it was read.
        }
    }

    /// Late requests, which must have no effect: each concerns an attempt that has ended.
    private func disturb(_ store: any Store, _ registry: Registry) async throws {
        await pause(registry.chance(10))
        guard let ended = registry.anyEnded() else { return }
        if let identity = ended.stored?.identity, registry.chance(2) == 0 {
            do {
                try await store.delete(ended.location.url, identity: identity)
                registry.report("a late deletion found attempt \(ended.location.attempt) again")
            } catch {
                guard error.code == .notFound else { throw error }
            }
        } else {
            try await store.discard(ended.location)
        }
    }

    private func pause(_ milliseconds: Int) async {
        // A pause that is cut short is a pause.
        if milliseconds > 0 { try? await Task.sleep(for: .milliseconds(milliseconds)) }
    }
}

/// One attempt's right to publish.
private final class Lease: Sendable {
    let location: IntendedLocation
    let seed: Int
    let end = Gate()
    private let isHeld = Atomic(true)

    init(_ location: IntendedLocation, seed: Int) {
        self.location = location
        self.seed = seed
    }

    var holds: Bool { isHeld.load(ordering: .sequentiallyConsistent) }

    func expire() { isHeld.store(false, ordering: .sequentiallyConsistent) }
}

/// What the registry does for one image, in memory: one lease at a time, a finish only under the lease, and a deletion of
/// what is live, or a discard of what is not, before the next lease.
private final class Registry: Sendable {
    struct Ended: Sendable {
        var location: IntendedLocation
        var stored: StoredData?
    }

    private struct State {
        var random: SplitMix
        var current: Lease?
        var live: (lease: Lease, stored: StoredData)?
        var ended: [Ended] = []
        var damages: [String] = []
    }

    private let state: Mutex<State>

    init(seed: UInt64) { state = Mutex(State(random: SplitMix(state: seed))) }

    var damages: [String] { state.withLock { $0.damages } }

    func chance(_ bound: Int) -> Int { state.withLock { Int.random(in: 0..<bound, using: &$0.random) } }

    func begin(_ store: any Store, _ object: String, attempt: String) async throws -> Lease {
        let lease = Lease(try await store.intend(object, attempt: attempt, size: nil), seed: chance(1_000))
        state.withLock { $0.current = lease }
        return lease
    }

    func expire(_ lease: Lease) { lease.expire() }

    func finish(_ lease: Lease, _ stored: StoredData) -> Bool {
        state.withLock { state in
            guard state.current === lease, lease.holds else { return false }
            state.live = (lease, stored)
            state.current = nil
            return true
        }
    }

    /// Frees the name: deletes what is live, discards what is not.
    func settle(_ store: any Store) async throws {
        let (current, live) = state.withLock { state in
            defer { (state.current, state.live) = (nil, nil) }
            return (state.current, state.live)
        }
        if let live {
            do {
                try await store.delete(live.lease.location.url, identity: live.stored.identity)
            } catch {
                guard error.code == .notFound else { throw error }
                report("attempt \(live.lease.location.attempt) was confirmed, and its bytes are gone")
            }
            try await store.confirm(live.lease.location)
            state.withLock { $0.ended.append(Ended(location: live.lease.location, stored: live.stored)) }
        }
        if let current {
            try await store.discard(current.location)
            state.withLock { $0.ended.append(Ended(location: current.location, stored: nil)) }
        }
    }

    func isGone(_ lease: Lease) -> Bool { state.withLock { $0.live?.lease !== lease } }

    func anyEnded() -> Ended? {
        state.withLock { state in state.ended.randomElement(using: &state.random) }
    }

    func report(_ damage: String) { state.withLock { $0.damages.append(damage) } }
}

/// A generator that can be started again from its seed (Steele, Lea and Flood, 2014).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
