internal import Synchronization

/// The users of a password file, followed as the file changes.
///
/// The form is htpasswd's with bcrypt hashes, one ``HTPasswdUser`` a line; blank lines and lines that begin with `#`
/// count for nothing. The file is looked at once a second at most, when somebody asks. A version that cannot be read,
/// is broken or names no user changes nothing: the last good one stays, and the fault is reported once.
public final class HTPasswdFile: Sendable {
    public let path: String
    private let onFault: @Sendable (HTPasswdFileError) -> Void
    private let now: @Sendable () -> Duration
    private let state: Mutex<State>

    private static let checkInterval = Duration.seconds(1)

    private struct State: Sendable {
        var table: HTPasswdTable
        /// What was found when last looked.
        var seen: Sighting
        var nextCheck: Duration
        var isChecking = false
    }

    private enum Sighting: Equatable {
        /// A version, taken over or found broken.
        case version(HTPasswdSnapshot.Version)
        /// A version whose last line does not end: it may be half written, so it is taken over when it stays like that.
        case unfinished(HTPasswdSnapshot.Version)
        /// Tried again at every look, since what is in the way may go without a trace on the file.
        case unreadable(HTPasswdFileError)
    }

    /// Reads the file; there is no start without users.
    ///
    /// `onFault` is told of every version that was not taken over later on, by whoever asked for a user.
    ///
    /// - Throws: What is wrong, with path and line.
    public convenience init(
        path: String,
        onFault: @escaping @Sendable (HTPasswdFileError) -> Void
    ) throws(HTPasswdFileError) {
        try self.init(path: path, now: monotonicTime, onFault: onFault)
    }

    init(
        path: String,
        now: @escaping @Sendable () -> Duration,
        onFault: @escaping @Sendable (HTPasswdFileError) -> Void
    ) throws(HTPasswdFileError) {
        let snapshot = try HTPasswdSnapshot(reading: path)
        let table = try HTPasswdTable(snapshot.bytes, path: path)
        self.path = path
        self.now = now
        self.onFault = onFault
        state = Mutex(
            State(table: table, seen: .version(snapshot.version), nextCheck: now() + Self.checkInterval)
        )
    }

    /// How many users there are.
    public var userCount: Int { current().count }

    /// - Returns: `nil` for a name that the file has not.
    public func user(named name: String) -> HTPasswdUser? { current()[name] }

    /// The users as of a second ago or less. Once a second somebody pays for a `stat`, and after a change for reading.
    func current() -> HTPasswdTable {
        let now = now()
        let (table, seen) = state.withLock { state -> (HTPasswdTable, Sighting?) in
            guard now >= state.nextCheck, !state.isChecking else { return (state.table, nil) }
            state.isChecking = true
            return (state.table, state.seen)
        }
        guard let seen else { return table }
        // Outside of the lock: nobody else looks meanwhile, and whoever asks gets the table of before.
        let (newSeen, newTable) = look(after: seen)
        return state.withLock { state in
            state.seen = newSeen
            if let newTable { state.table = newTable }
            state.nextCheck = now + Self.checkInterval
            state.isChecking = false
            return state.table
        }
    }

    private func look(after seen: Sighting) -> (Sighting, HTPasswdTable?) {
        if let version = HTPasswdSnapshot.Version(of: path), seen == .version(version) { return (seen, nil) }
        let snapshot: HTPasswdSnapshot
        do {
            snapshot = try HTPasswdSnapshot(reading: path)
        } catch {
            if seen != .unreadable(error) { onFault(error) }
            return (.unreadable(error), nil)
        }
        if snapshot.bytes.last != UInt8(ascii: "\n"), seen != .unfinished(snapshot.version) {
            return (.unfinished(snapshot.version), nil)
        }
        do {
            return (.version(snapshot.version), try HTPasswdTable(snapshot.bytes, path: path))
        } catch {
            onFault(error)
            return (.version(snapshot.version), nil)
        }
    }
}

/// Time since the process first asked; it only ever grows.
@Sendable
func monotonicTime() -> Duration { origin.duration(to: .now) }

private let origin = ContinuousClock.now
