internal import Glibc

/// A file that is being written under a name of its own, until it is complete. One that a broken run left behind is
/// written anew; one that another process is writing is not.
final class UnfinishedFile {
    let path: String
    private let descriptor: Int32

    /// An empty file, readable by its owner alone.
    init(_ path: String) throws(DatabaseError) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw DatabaseError(.unavailable, "\(path) cannot be written: \(systemError(errno)).")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw DatabaseError(.unavailable, "\(path) is being written by another process.")
        }
        guard fchmod(descriptor, 0o600) == 0, ftruncate(descriptor, 0) == 0 else {
            throw DatabaseError(.unavailable, "\(path) cannot be written: \(systemError(errno)).")
        }
    }

    /// SQLite's own connections to it are closed by then: closing this one would take their locks away.
    deinit { if descriptor >= 0 { close(descriptor) } }

    func sync() throws(DatabaseError) {
        guard fsync(descriptor) == 0 else {
            throw DatabaseError(.unavailable, "\(path) cannot be written to the disk: \(systemError(errno)).")
        }
    }

    /// Gives it another owner, for a program that is not run by the one who will use the file; where that may not be
    /// done nothing happens.
    func give(to owner: uid_t, _ group: gid_t) { _ = fchown(descriptor, owner, group) }

    /// Gives it its name for good, unless something has that name.
    func publish(as name: String) throws(DatabaseError) {
        guard link(path, name) == 0 else {
            throw DatabaseError(.unavailable, "\(name) cannot be made: \(systemError(errno)).")
        }
        remove()
        try Self.syncDirectory(of: name)
    }

    /// Gives it its name for good, in the place of what has it.
    func replace(_ name: String) throws(DatabaseError) {
        guard rename(path, name) == 0 else {
            throw DatabaseError(.unavailable, "\(name) cannot be replaced: \(systemError(errno)).")
        }
        try Self.syncDirectory(of: name)
    }

    /// What is left is only in the way.
    func remove() { unlink(path) }

    /// Makes names in the file's directory durable.
    static func syncDirectory(of path: String) throws(DatabaseError) {
        let directory = folder(of: path)
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw DatabaseError(.unavailable, "\(directory) cannot be written to the disk: \(systemError(errno)).")
        }
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
