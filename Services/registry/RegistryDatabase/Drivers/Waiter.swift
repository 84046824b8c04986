internal import Synchronization

/// Who waits for a transaction, until when, and for how long it was the database that they waited for: a write that nobody
/// waits for any more is not committed.
///
/// Without one a job waits as long as ``DatabaseLimits/patience`` says, and then takes the time that it needs.
public final class Waiter: Sendable {
    let deadline: MonotonicTime
    private let hasLeft: @Sendable () -> Bool
    private let nanoseconds = Atomic<Int64>(0)

    /// Waits without an end of its own.
    public init() {
        deadline = MonotonicTime(nanoseconds: .max)
        hasLeft = { false }
    }

    /// - Parameters:
    ///   - patience: how long the answer is wanted from now on.
    ///   - hasLeft: whether the one who waits is known to be gone before that. Asked on the database's threads: it must
    ///     not block.
    public init(patience: Duration, hasLeft: @escaping @Sendable () -> Bool = { false }) {
        deadline = .now + patience
        self.hasLeft = hasLeft
    }

    var hasDeadline: Bool { deadline.nanoseconds < .max }

    /// What the database has taken of their time: waits for a connection, and transactions with their statements, but not
    /// what else a transaction's body does.
    public var databaseTime: Duration { .nanoseconds(nanoseconds.load(ordering: .relaxed)) }

    func waited(_ duration: Duration) {
        guard duration > .zero else { return }
        nanoseconds.add((MonotonicTime(nanoseconds: 0) + duration).nanoseconds, ordering: .relaxed)
    }

    /// - Throws: ``DatabaseError`` (`timedOut`) when nobody waits any more.
    func require(at now: MonotonicTime = .now) throws(DatabaseError) {
        guard now < deadline else { throw Self.late }
        guard !hasLeft() else { throw DatabaseError(.timedOut, "Whoever asked for this has gone.") }
    }

    /// As ``require(at:)``, by the clock alone.
    func requireTime(at now: MonotonicTime) throws(DatabaseError) {
        guard now < deadline else { throw Self.late }
    }

    var isThere: Bool { MonotonicTime.now < deadline && !hasLeft() }

    private static let late = DatabaseError(.timedOut, "Whoever asked for this no longer waits.")
}
