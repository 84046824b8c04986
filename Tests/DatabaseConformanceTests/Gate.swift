import Foundation

/// Holds a database's thread inside a transaction until the test lets it go on.
final class Gate: Sendable {
    private let opened = DispatchSemaphore(value: 0)
    private let reached: AsyncStream<Void>
    private let arrival: AsyncStream<Void>.Continuation

    init() { (reached, arrival) = AsyncStream.makeStream() }

    /// For the transaction's body: says that it is there, and waits.
    func pass() {
        arrival.yield()
        _ = opened.wait(timeout: .now() + 60)
    }

    /// For the test: waits until a body is at the gate.
    func isReached() async { for await _ in reached { return } }

    func open() { opened.signal() }
}

/// Waits until a condition holds, for at most some seconds.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<500 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}
