import Foundation
import Synchronization
import Testing

/// Holds a database's thread inside a transaction until the test lets it go on.
final class Gate: Sendable {
    private let opened = DispatchSemaphore(value: 0)
    private let arrived = Atomic(false)
    private let reached: AsyncStream<Void>
    private let arrival: AsyncStream<Void>.Continuation

    init() { (reached, arrival) = AsyncStream.makeStream() }

    /// For the transaction's body: says that it is there, and waits.
    func pass() {
        arrived.store(true, ordering: .releasing)
        arrival.yield()
        _ = opened.wait(timeout: .now() + 120)
    }

    /// For the test: whether a body has come to the gate.
    var wasReached: Bool { arrived.load(ordering: .acquiring) }

    /// For the test: waits until a body is at the gate. A body that never comes, because its transaction was refused,
    /// fails the test instead of holding it up for ever.
    func isReached() async {
        let isReached = await withTaskGroup(of: Bool.self) { group in
            group.addTask { [reached] in
                for await _ in reached { return true }
                return false
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(60))
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
        if !isReached { Issue.record("no transaction has reached the gate within a minute") }
    }

    func open() { opened.signal() }
}

/// Waits until a condition holds, for a minute at most where asking takes no time.
func eventually(asking times: Int = 6_000, _ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<times {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}
