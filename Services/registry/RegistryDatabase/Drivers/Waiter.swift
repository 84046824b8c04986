/// Who waits for a transaction, and until when: a write that nobody waits for any more is not committed.
///
/// Without one a job waits as long as ``DatabaseLimits/patience`` says, and then takes the time that it needs.
public final class Waiter: Sendable {
    let deadline: MonotonicTime
    private let hasLeft: @Sendable () -> Bool

    /// - Parameters:
    ///   - patience: how long the answer is wanted from now on.
    ///   - hasLeft: whether the one who waits is known to be gone before that. Asked on the database's threads: it must
    ///     not block.
    public init(patience: Duration, hasLeft: @escaping @Sendable () -> Bool = { false }) {
        deadline = .now + patience
        self.hasLeft = hasLeft
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
