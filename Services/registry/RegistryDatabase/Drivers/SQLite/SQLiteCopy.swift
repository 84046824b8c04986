internal import Glibc

/// Whole copies of SQLite databases: taken while a registry serves, and put back while none does. Everything blocks.
///
/// A copy is one file that needs none beside it, of mode 0600. It has its name only when it is complete, checked and on
/// the disk.
public struct SQLiteCopy {
    /// Told of long work: what is being done, how much of it, and how much there is; both 0 where that is not known.
    public typealias Report = (_ step: String, _ doneBytes: Int64, _ allBytes: Int64) -> Void

    /// What is in a copy.
    public struct Content: Sendable {
        /// Images that are not deleted.
        public var images: Int64
        /// The newest migration.
        public var version: Int64
        public var byteCount: Int64
    }

    private let report: Report

    public init(_ report: @escaping Report) { self.report = report }

    /// Copies a database as it is at the beginning, whatever is written meanwhile.
    ///
    /// - Parameters:
    ///   - source: its path.
    ///   - path: of the copy; what is being written is `<path>.unfinished`.
    /// - Throws: ``DatabaseError`` with a sentence, also when something has that path already, which is left alone.
    public func back(up source: String, to path: String) throws(DatabaseError) -> Content {
        guard access(source, F_OK) == 0 else {
            throw DatabaseError(.unavailable, "The database \(source) is not there: \(systemError(errno)).")
        }
        try Self.requireFree(path)
        let unfinished = try UnfinishedFile(path + ".unfinished")
        do {
            let database = try SQLiteHandle(source, .shared)
            // A snapshot over all steps: those who write neither wait nor make the copy begin again.
            try database.run("BEGIN")
            try Self.requireRegistry(database)
            let content = try copy(database, to: unfinished)
            try unfinished.publish(as: path)
            return content
        } catch {
            unfinished.remove()
            throw error
        }
    }

    /// Puts a copy in the place of a database, whole or not at all.
    ///
    /// - Parameters:
    ///   - backup: the path of the copy.
    ///   - path: of the database.
    ///   - replaces: whether one that has something in it may be replaced. It is kept beside the new one.
    /// - Returns: what the copy holds, and where the former database is kept, if it held anything.
    /// - Throws: ``DatabaseError`` with a sentence: the database is in use, or is not empty, or the copy is none.
    public func restore(
        _ backup: String,
        to path: String,
        replaces: Bool
    ) throws(DatabaseError) -> (content: Content, kept: String?) {
        let source = try Self.open(backup)
        let place = try SQLitePlace(path)
        defer { place.release() }
        guard place.path != Self.resolved(backup) else {
            throw DatabaseError(.other, "\(backup) is the database itself.")
        }
        let isEmpty = try place.retire()
        guard isEmpty || replaces else {
            throw DatabaseError(
                .other,
                "The database \(place.path) is not empty. To put the backup in its place all the same, use --force; what "
                    + "is there now is then kept beside it."
            )
        }
        let unfinished = try UnfinishedFile(place.path + ".unfinished")
        do {
            let content = try copy(source, to: unfinished)
            // Another tool may have opened it meanwhile.
            try place.retire()
            return (content, try place.replace(by: unfinished, keepsFormer: !isEmpty))
        } catch {
            unfinished.remove()
            throw error
        }
    }

    private func copy(_ source: SQLiteHandle, to unfinished: UnfinishedFile) throws(DatabaseError) -> Content {
        let pageSize = try source.number("PRAGMA page_size")
        let target = try SQLiteHandle(unfinished.path, .shared)
        // A copy that is not complete is thrown away, so nothing has to survive but the end of it.
        try target.run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")
        try source.copyPages(to: target) { done, all in report("copied", done * pageSize, all * pageSize) }
        // One file, without a log beside it.
        guard try target.texts("PRAGMA journal_mode = DELETE") == ["delete"] else {
            throw DatabaseError(.other, "\(unfinished.path): the copy cannot be closed.")
        }
        report("checking the copy", 0, 0)
        let faults = try target.texts("PRAGMA quick_check(1)")
        guard faults == ["ok"] else {
            throw DatabaseError(.corrupt, "\(source.path) is damaged: \(faults.first ?? "nobody knows how").")
        }
        let content = Content(
            images: try target.number("SELECT count(*) FROM images WHERE deleted_at IS NULL"),
            version: try target.number("SELECT coalesce(max(number), 0) FROM schema_migrations"),
            byteCount: try target.number("PRAGMA page_count") * pageSize
        )
        target.close()
        report("writing it to the disk", 0, 0)
        try unfinished.sync()
        return content
    }

    /// - Throws: unless it is a copy that can be restored.
    private static func open(_ backup: String) throws(DatabaseError) -> SQLiteHandle {
        guard access(backup, R_OK) == 0 else {
            throw DatabaseError(.unavailable, "The backup \(backup) cannot be read: \(systemError(errno)).")
        }
        var file = stat()
        guard stat(backup, &file) == 0, file.st_mode & S_IFMT == S_IFREG else {
            throw DatabaseError(.other, "\(backup) is no file: name the one that \"glance-manage backup\" wrote.")
        }
        var log = stat()
        guard stat(backup + "-wal", &log) != 0 || log.st_size == 0 else {
            throw DatabaseError(
                .other,
                "\(backup) is a database in use, or a part of one: its newest part is in \(backup)-wal. Only what "
                    + "\"glance-manage backup\" wrote, or \".backup\" of sqlite3, can be restored."
            )
        }
        let source = try SQLiteHandle(backup, .finished)
        try requireRegistry(source)
        let known = Migration.all.last?.number ?? 0
        let sql = "SELECT count(*) FROM schema_migrations WHERE phase = 'contract' AND number > \(known)"
        guard try source.number(sql) == 0 else {
            throw DatabaseError(
                .other,
                "\(backup) is newer than this program; restore it with the release that it was made with, or a later one."
            )
        }
        return source
    }

    private static func requireRegistry(_ database: SQLiteHandle) throws(DatabaseError) {
        let names = "('images', 'image_locations', 'schema_migrations')"
        let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN \(names)"
        let count: Int64
        do {
            count = try database.number(sql)
        } catch {
            guard error.code == .corrupt else { throw error }
            throw DatabaseError(.corrupt, "\(database.path) is no SQLite database, or is damaged.")
        }
        guard count == 3 else { throw DatabaseError(.other, "\(database.path) is no database of a registry.") }
    }

    private static func requireFree(_ path: String) throws(DatabaseError) {
        var status = stat()
        guard lstat(path, &status) != 0 else {
            throw DatabaseError(.other, "\(path) is there already, and is left alone: name another file.")
        }
    }

    private static func resolved(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
