public import Logging
public import ServiceKit
internal import Synchronization

/// The rules of the defaults and of the policy files, followed as the files change.
///
/// Whoever asks has whole rules: a version that cannot be read, or is no policy file, changes nothing and is reported
/// once, with file and line. A file that is gone, empty, or whose last line does not end may be in the middle of being
/// written: it counts when it is still the same a tenth of a second later. What is put in place by a rename counts at
/// once.
public final class PolicyFiles: Sendable {
    private let settings: PolicySettings
    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state: Mutex<State>

    /// How long something that looks unfinished must stay the same.
    static let settlingTime = Duration.milliseconds(100)

    private struct State: Sendable {
        var table: PolicyTable
        /// What was last taken over, or found broken.
        var seen: PolicySighting
        /// What looked unfinished, and since when.
        var unsettled: (sighting: PolicySighting, since: ContinuousClock.Instant)?
        var isLooking = false
    }

    /// Reads the files.
    ///
    /// - Throws: one sentence with file and line: there is no start with a policy that cannot be read.
    public convenience init(_ settings: PolicySettings, logger: Logger) throws(ConfigurationError) {
        try self.init(settings, logger: logger) { .now }
    }

    init(
        _ settings: PolicySettings,
        logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant
    ) throws(ConfigurationError) {
        let sources = try PolicySources(PolicySighting(settings), settings)
        let table = try PolicyTable(sources, settings)
        self.settings = settings
        self.logger = logger
        self.now = now
        state = Mutex(State(table: table, seen: sources.sighting))
        report(table, sources)
    }

    /// The rules as ``follow()`` last found them.
    public var table: PolicyTable { state.withLock { $0.table } }

    /// Looks at the files, and takes over what changed. Nobody waits for another's look.
    func follow() {
        guard let (seen, unsettled) = begin() else { return }
        let sighting = PolicySighting(settings, before: seen)
        if sighting == seen {
            finish { $0.unsettled = nil }
            return
        }
        do {
            let sources = try PolicySources(sighting, settings)
            let hasVanished = seen.main != nil && sources.sighting.main == nil
            if hasVanished || sources.looksUnfinished {
                guard let unsettled, unsettled.sighting == sources.sighting else {
                    let since = now()
                    finish { $0.unsettled = (sources.sighting, since) }
                    return
                }
                guard now() - unsettled.since >= Self.settlingTime else {
                    finish { _ in }
                    return
                }
            }
            let table = try PolicyTable(sources, settings)
            finish { state in
                state.table = table
                state.seen = sources.sighting
                state.unsettled = nil
            }
            report(table, sources)
        } catch {
            logger.error("The policy is not taken over; the rules of before stay", metadata: ["error": "\(error)"])
            finish { state in
                state.seen = sighting
                state.unsettled = nil
            }
        }
    }

    private func begin() -> (
        seen: PolicySighting, unsettled: (sighting: PolicySighting, since: ContinuousClock.Instant)?
    )? {
        state.withLock { state in
            guard !state.isLooking else { return nil }
            state.isLooking = true
            return (state.seen, state.unsettled)
        }
    }

    private func finish(_ change: (inout State) -> Void) {
        state.withLock { state in
            change(&state)
            state.isLooking = false
        }
    }

    private func report(_ table: PolicyTable, _ sources: PolicySources) {
        for warning in table.warnings { logger.warning("\(warning)") }
        guard !sources.files.isEmpty else { return }
        logger.notice(
            "The policy is read",
            metadata: [
                "files": "\(sources.files.map(\.path).joined(separator: ", "))", "rules": "\(table.origins.count)",
            ]
        )
    }
}
