public import PolicyLanguage
internal import Synchronization

/// How many questions other services are asked at a time, in all and for one project. Each keeps a thread until it is
/// answered, and a service that hangs must leave threads to those who do not ask it.
public final class OpenQuestions: Sendable {
    public static let limit = 64
    /// Of one project, so that nobody takes the places of everybody.
    public static let limitPerProject = 32

    private struct Counts {
        var all = 0
        var byProject: [String: Int] = [:]
    }

    private let limit: Int
    private let limitPerProject: Int
    private let counts = Mutex(Counts())

    public convenience init() { self.init(limit: Self.limit, perProject: Self.limitPerProject) }

    init(limit: Int, perProject limitPerProject: Int) {
        self.limit = limit
        self.limitPerProject = limitPerProject
    }

    /// Asks, where there is a place.
    ///
    /// - Throws: ``PolicyFault``, an outage, at once where there is none; what `ask` throws.
    public func with<Answer>(
        _ question: PolicyQuestion,
        ask: () throws(PolicyFault) -> Answer
    ) throws(PolicyFault) -> Answer {
        guard take(question.asker) else {
            let sentence = "too many questions for the service that decides on '\(question.rule)' are open already"
            throw PolicyFault(sentence, isOutage: true)
        }
        defer { giveBack(question.asker) }
        return try ask()
    }

    private func take(_ project: String) -> Bool {
        counts.withLock { counts in
            let own = counts.byProject[project, default: 0]
            guard counts.all < limit, own < limitPerProject else { return false }
            counts.all += 1
            counts.byProject[project] = own + 1
            return true
        }
    }

    private func giveBack(_ project: String) {
        counts.withLock { counts in
            counts.all -= 1
            let own = counts.byProject[project, default: 0] - 1
            counts.byProject[project] = own > 0 ? own : nil
        }
    }
}
