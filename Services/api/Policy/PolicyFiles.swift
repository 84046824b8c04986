public import Logging
public import ServiceKit
internal import Synchronization

/// The rules of the defaults and of the policy files, followed as the files change.
///
/// Whoever asks has whole rules: a version that cannot be read, or is no policy file, changes nothing and is reported
/// once, with file and line. A file that is gone or whose last line does not end may be in the middle of being written:
/// it counts when it is still the same a tenth of a second later, and an empty one a second after it was found so. What
/// is put in place by a rename counts at once.
public final class PolicyFiles: Sendable {
    private let settings: PolicySettings
    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant
    private let fileTime: @Sendable () -> Int
    private let state: Mutex<State>

    /// How long something that looks unfinished must stay the same.
    static let settlingTime = Duration.milliseconds(100)
    /// The same for a file without content, which is what a writer sees to first; without rules the defaults hold.
    static let emptySettlingTime = Duration.seconds(1)

    private struct State: Sendable {
        var table: PolicyTable
        /// What was last taken over, or found broken.
        var seen: PolicySighting
        /// What looked unfinished, and until when it must stay the same.
        var unsettled: Unsettled?
    }

    private struct Unsettled: Sendable {
        var sighting: PolicySighting
        var until: ContinuousClock.Instant
    }

    /// Held while a change is taken over, so that whoever saw it waits for the rules that it brings.
    private let takingOver = Mutex<Void>(())

    /// Reads the files.
    ///
    /// - Throws: one sentence with file and line: there is no start with a policy that cannot be read.
    public convenience init(_ settings: PolicySettings, logger: Logger) throws(ConfigurationError) {
        try self.init(settings, logger: logger, fileTime: PolicySighting.now) { .now }
    }

    init(
        _ settings: PolicySettings,
        logger: Logger,
        fileTime: @escaping @Sendable () -> Int,
        now: @escaping @Sendable () -> ContinuousClock.Instant
    ) throws(ConfigurationError) {
        let sources = try PolicySources(PolicySighting(settings), settings)
        let table = try PolicyTable(sources, settings)
        self.settings = settings
        self.logger = logger
        self.now = now
        self.fileTime = fileTime
        state = Mutex(State(table: table, seen: sources.sighting))
        report(table, sources)
    }

    /// The rules as ``follow()`` last found them.
    public var table: PolicyTable { state.withLock { $0.table } }

    /// Looks at the files, and takes over what changed. Who finds nothing changed waits for nobody; who finds a change goes
    /// on with the rules that it brings, whoever of several reads them.
    func follow() {
        let seen = state.withLock { $0.seen }
        guard PolicySighting(settings, before: seen) != seen else { return }
        takingOver.withLock { _ in
            let (seen, unsettled) = state.withLock { ($0.seen, $0.unsettled) }
            let sighting = PolicySighting(settings, before: seen)
            guard sighting != seen else { return }
            if let unsettled, unsettled.sighting == sighting, now() < unsettled.until { return }
            takeOver(sighting, after: seen, unsettled)
        }
    }

    private func takeOver(
        _ sighting: PolicySighting,
        after seen: PolicySighting,
        _ unsettled: Unsettled?
    ) {
        do {
            let sources = try PolicySources(sighting, settings)
            if unsettled?.sighting != sources.sighting, let time = settlingTime(of: sources, after: seen) {
                let until = now() + time
                state.withLock { $0.unsettled = Unsettled(sighting: sources.sighting, until: until) }
                return
            }
            let table = try PolicyTable(sources, settings)
            state.withLock { state in
                state.table = table
                state.seen = sources.sighting
                state.unsettled = nil
            }
            report(table, sources)
        } catch {
            logger.error("The policy is not taken over; the rules of before stay", metadata: ["error": "\(error)"])
            state.withLock { state in
                state.seen = sighting
                state.unsettled = nil
            }
        }
    }

    /// How long what was found must stay the same; `nil` where it counts at once.
    ///
    /// What was written is as old as the file says. That nothing was is not: a file that is being cut may have its former
    /// times for a moment longer than its former size, so the time of an empty one runs from now.
    private func settlingTime(of sources: PolicySources, after seen: PolicySighting) -> Duration? {
        switch sources.doubt(after: seen) {
        case nil: nil
        case .empty: Self.emptySettlingTime
        case .unfinished:
            sources.sighting.isOlder(than: Self.settlingTime, whereGone: seen.main, at: fileTime())
                ? nil : Self.settlingTime
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
