internal import Glibc
internal import ServiceKit

/// What there is of policy files at one moment: which, and in which version. Two that are equal saw the same rules.
struct PolicySighting: Sendable, Equatable {
    /// What differs between two versions of a file, as cheaply as one may ask.
    struct Version: Sendable, Equatable {
        private let numbers: [Int]
        /// When it was last written or put in its place, in nanoseconds of the system's clock.
        let changedAt: Int
        let isDirectory: Bool
        let isFile: Bool

        init(_ status: stat) {
            numbers = [
                Int(status.st_dev), Int(truncatingIfNeeded: status.st_ino), Int(status.st_size), status.st_mtim.tv_sec,
                status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
            ]
            changedAt = Int(status.st_ctim.tv_sec) * 1_000_000_000 + Int(status.st_ctim.tv_nsec)
            isDirectory = status.st_mode & S_IFMT == S_IFDIR
            isFile = status.st_mode & S_IFMT == S_IFREG
        }

        /// - Returns: `nil` when there is nothing of that name.
        init?(of path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            self.init(status)
        }
    }

    struct Sighted: Sendable, Equatable {
        var path: String
        var version: Version
    }

    private(set) var main: Sighted?
    private(set) var directories: [Sighted] = []
    private(set) var further: [Sighted] = []

    /// In the order in which they count.
    var files: [Sighted] { (main.map { [$0] } ?? []) + further }

    /// - Parameter before: An earlier look. Directories that did not change since are not listed again.
    init(_ settings: PolicySettings, before: PolicySighting? = nil) {
        main = Self.first(of: settings.fileCandidates)
        directories = settings.directoryCandidates.compactMap(Self.first).filter(\.version.isDirectory)
        if let before, before.directories == directories {
            further = before.further.compactMap { Self.first(of: [$0.path]) }
        } else {
            further = directories.flatMap { Self.files(in: $0.path) }
        }
    }

    /// Whether nothing of it has changed for so long, and the directory of a file that is gone neither.
    ///
    /// - Parameter now: in nanoseconds, by the clock of the files' times.
    func isOlder(than duration: Duration, whereGone gone: Sighted?, at now: Int) -> Bool {
        var changes = files.map(\.version.changedAt)
        if let gone, main == nil {
            let directory = gone.path.lastIndex(of: "/").map { String(gone.path[..<$0]) } ?? "."
            changes.append(Version(of: directory.isEmpty ? "/" : directory)?.changedAt ?? 0)
        }
        let nanoseconds = Int(duration / .nanoseconds(1))
        return changes.allSatisfy { $0 <= now && now - $0 > nanoseconds }
    }

    /// What time it is, as files tell theirs.
    @Sendable
    static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
    }

    private static func first(of candidates: [String]) -> Sighted? {
        for path in candidates {
            if let version = Version(of: path) { return Sighted(path: path, version: version) }
        }
        return nil
    }

    /// Every file that is not hidden, in the order of the names.
    private static func files(in directory: String) -> [Sighted] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.compactMap { name in
            first(of: ["\(directory)/\(name)"]).flatMap { $0.version.isFile ? $0 : nil }
        }
    }
}
