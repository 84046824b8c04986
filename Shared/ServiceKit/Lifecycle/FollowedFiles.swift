internal import Glibc
public import Logging
internal import Synchronization

/// A value that is read from files and read anew when one of them changes, so that keys and certificates can be replaced
/// while the service runs.
///
/// The files are looked at once a second at most, when somebody asks for the value, and at once by ``reload()``. A change
/// counts when it is a second old: several files that belong together, or one that is written in pieces, are taken over
/// whole. Files that cannot be used change nothing: the last good value stays, and the fault is logged once.
public final class FollowedFiles<Value: Sendable>: Sendable {
    private let paths: [String]
    private let logger: Logger
    private let make: @Sendable () throws -> Value
    private let state: Mutex<State>

    private struct State {
        var value: Value
        /// As it was when last read, usable or not.
        var version: FileVersion
        var nextLook: ContinuousClock.Instant
        var isLooking = false
    }

    /// Reads the files once: there is no start without a usable value.
    ///
    /// - Parameters:
    ///   - paths: Whose changes matter.
    ///   - make: Reads the files; called by whoever asks for the value.
    public init(_ paths: [String], logger: Logger, make: @escaping @Sendable () throws -> Value) throws {
        self.paths = paths
        self.logger = logger
        self.make = make
        let version = FileVersion(of: paths)
        state = Mutex(State(value: try make(), version: version, nextLook: .now + .seconds(1)))
    }

    /// The value as of one or two seconds ago. Once a second somebody pays for looking at the files.
    public var current: Value {
        let now = ContinuousClock.now
        let (value, seen) = state.withLock { state -> (Value, FileVersion?) in
            guard now >= state.nextLook, !state.isLooking else { return (state.value, nil) }
            state.isLooking = true
            return (state.value, state.version)
        }
        guard let seen else { return value }
        let version = FileVersion(of: paths)
        return take(version != seen && version.isSettled ? version : nil)
    }

    /// Reads the files now, as an operator asks for with SIGHUP.
    public func reload() { _ = take(FileVersion(of: paths)) }

    /// Outside of the lock nobody waits for the disk: others get the value of before meanwhile.
    private func take(_ version: FileVersion?) -> Value {
        let made = version.map { _ in Result(catching: make) }
        let value = state.withLock { state in
            if let version { state.version = version }
            if case .success(let value) = made { state.value = value }
            state.nextLook = .now + .seconds(1)
            state.isLooking = false
            return state.value
        }
        switch made {
        case .success:
            logger.notice("Files were read anew", metadata: ["files": "\(paths.joined(separator: ", "))"])
        case .failure(let error):
            logger.error("Changed files are not usable; what they held before stays", metadata: ["error": "\(error)"])
        case nil: break
        }
        return value
    }
}

/// What differs between two states of some files, as cheaply as one may ask.
private struct FileVersion: Equatable, Sendable {
    private var numbers: [Int] = []
    private var newest = 0

    init(of paths: [String]) {
        for path in paths {
            var status = stat()
            guard stat(path, &status) == 0 else {
                numbers.append(-1)
                continue
            }
            numbers += [
                Int(status.st_dev), Int(truncatingIfNeeded: status.st_ino), Int(status.st_size), status.st_ctim.tv_sec,
                status.st_ctim.tv_nsec,
            ]
            newest = max(newest, status.st_ctim.tv_sec * 1_000 + status.st_ctim.tv_nsec / 1_000_000)
        }
    }

    /// Whether the newest change is a second old. One from the future, by a clock that was set, is as good as old.
    var isSettled: Bool {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let age = now.tv_sec * 1_000 + now.tv_nsec / 1_000_000 - newest
        return age < -1_000 || age >= 1_000
    }
}
