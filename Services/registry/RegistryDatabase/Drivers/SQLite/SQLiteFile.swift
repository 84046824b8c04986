internal import Glibc

/// The file of a database, and the lock that says which service owns it.
enum SQLiteFile {
    /// Makes an empty file where there is none, readable by its owner alone; SQLite gives its log the same mode.
    ///
    /// - Returns: the path without symbolic links, so that one file has one lock.
    /// - Throws: ``DatabaseError`` (`unavailable`).
    static func prepare(_ path: String) throws -> String {
        // Only a new file is opened here: closing a descriptor of a file that another connection of this process has
        // open would drop that connection's locks (https://sqlite.org/howtocorrupt.html, "posix advisory locks").
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            Glibc.close(descriptor)
        } else if errno != EEXIST {
            throw DatabaseError(.unavailable, "The database \(path) cannot be created: \(systemError(errno)).")
        }
        guard let resolved = realpath(path, nil) else {
            throw DatabaseError(.unavailable, "The database \(path) cannot be opened: \(systemError(errno)).")
        }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

/// Held by the one service process that may use a database; ends with the process at the latest.
///
/// A lock of the open file rather than of the process, so that a second owner in the same process is refused too.
final class SQLiteServiceLock: Sendable {
    private let descriptor: Int32

    /// - Parameters:
    ///   - path: of the lock file, which stays behind: removing it would let two owners lock two files.
    ///   - database: its path, for the sentence.
    /// - Throws: ``DatabaseError`` (`unavailable`) when another has the lock.
    init(path: String, database: String) throws(DatabaseError) {
        // From here on `deinit` closes it, also when this throws: closing it here as well would close another's file.
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw DatabaseError(.unavailable, "The lock file \(path) cannot be opened: \(systemError(errno)).")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            let owner = Self.owner(descriptor)
            guard reason == EWOULDBLOCK else {
                throw DatabaseError(.unavailable, "The lock file \(path) cannot be locked: \(systemError(reason)).")
            }
            throw DatabaseError(
                .unavailable,
                "The database \(database) is in use by another registry\(owner); SQLite serves one at a time."
            )
        }
        // Only for the sentence above: who cannot be named is still refused.
        let text = "\(getpid())\n"
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.utf8.count, 0) }
    }

    deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

    /// Lets the next owner in.
    func release() { flock(descriptor, LOCK_UN) }

    private static func owner(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let digits = bytes.prefix(max(0, count)).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return digits.isEmpty ? "" : " (process \(String(decoding: digits, as: UTF8.self)))"
    }
}
