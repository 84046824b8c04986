internal import Synchronization

/// The threads of a database that read, or those that write: the line that they serve, and how they stand with the server.
///
/// A server may have fewer connections for us than there are threads. Who has none leaves the work to those who have one;
/// only where nobody has any does somebody take it, so that whoever waits hears of it in bounded time.
final class PostgreSQLSide: Sendable {
    private struct State {
        var connections = 0
        /// Refusals since the last connection that was opened.
        var failures = 0
        var error: DatabaseError?
        var nextAttempt = MonotonicTime(nanoseconds: 0)
        /// Since when the server refuses, with nobody connected.
        var lostSince: MonotonicTime?
        var isAskedToGiveWay = false
        var toldAt: MonotonicTime?

        func pause(at now: MonotonicTime) -> Duration { max(.zero, nextAttempt - now) }
    }

    let mayWrite: Bool
    let line: WaitingLine
    private let onShortage: ShortageReport?
    private let state = Mutex(State())

    init(_ settings: PostgreSQLSettings, mayWrite: Bool) {
        self.mayWrite = mayWrite
        line = WaitingLine(for: "a connection that \(mayWrite ? "writes" : "reads")", limits: settings.limits)
        onShortage = settings.onShortage
    }

    // MARK: The connections

    /// Whether somebody has a connection.
    var isServed: Bool { state.withLock { $0.connections > 0 } }

    func has(oneMore: Bool) {
        state.withLock { state in
            state.connections += oneMore ? 1 : -1
            // What was refused to one more says nothing about the first.
            guard state.connections == 0 else { return }
            state.failures = 0
            state.nextAttempt = MonotonicTime(nanoseconds: 0)
        }
    }

    // MARK: Attempts

    /// How long until the server is asked again.
    var pause: Duration { state.withLock { $0.pause(at: .now) } }

    /// Until when somebody who comes now may wait for the server.
    func end(of patience: Duration) -> MonotonicTime { state.withLock { $0.lostSince ?? .now } + patience }

    /// To be asked before each attempt: while the server refuses, they are made one at a time.
    ///
    /// - Throws: the last refusal, while it is too early for another attempt.
    func begin() throws(DatabaseError) {
        let refusal: DatabaseError? = state.withLock { state in
            let now = MonotonicTime.now
            if state.pause(at: now) > .zero { return state.error }
            if state.failures > 0 { state.nextAttempt = now + Self.longestPause(isServed: false) }
            return nil
        }
        if let refusal { throw refusal }
    }

    func succeeded() {
        state.withLock { state in
            state.failures = 0
            state.error = nil
            state.nextAttempt = MonotonicTime(nanoseconds: 0)
            state.lostSince = nil
        }
    }

    /// Pauses grow and differ, so that not all registries come at once. One more connection is less urgent than the first.
    func failed(_ error: DatabaseError) {
        let isToBeTold = state.withLock { state in
            let now = MonotonicTime.now
            let isServed = state.connections > 0
            state.error = error
            state.failures += 1
            if !isServed { state.lostSince = state.lostSince ?? now }
            let longest = min(.milliseconds(50 << min(state.failures, 6)), Self.longestPause(isServed: isServed))
            state.nextAttempt = now + longest * Double.random(in: 0.5...1)
            guard isServed, state.toldAt.map({ now - $0 > .seconds(60) }) ?? true else { return false }
            state.toldAt = now
            return true
        }
        if isToBeTold { onShortage?(error) }
    }

    private static func longestPause(isServed: Bool) -> Duration { .milliseconds(isServed ? 2_000 : 500) }

    // MARK: Giving way

    /// For the other side's threads, when none of them can connect: asks for one of several connections here.
    func giveWay() {
        let isAsked = state.withLock { state in
            state.isAskedToGiveWay = state.connections > 1
            return state.isAskedToGiveWay
        }
        // An idle thread would hear of it late.
        if isAsked { line.wake() }
    }

    /// Whether the thread that asks, which has a connection, is to close it. None is opened in its place for a while.
    func mustGiveWay() -> Bool {
        state.withLock { state in
            guard state.isAskedToGiveWay else { return false }
            state.isAskedToGiveWay = false
            guard state.connections > 1 else { return false }
            state.failures += 1
            state.error = DatabaseError(.unavailable, "The server has too few connections.")
            state.nextAttempt = .now + Self.longestPause(isServed: true)
            return true
        }
    }
}
