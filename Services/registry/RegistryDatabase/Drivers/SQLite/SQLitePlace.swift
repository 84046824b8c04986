internal import Glibc

/// Where a database is, or is to be, while no registry may open it.
struct SQLitePlace {
    /// Without symbolic links.
    let path: String
    private let lock: SQLiteServiceLock

    /// - Throws: when a registry runs on it.
    init(_ path: String) throws(DatabaseError) {
        let resolved = realpath(path, nil)
        defer { free(resolved) }
        let place = resolved.map { String(cString: $0) } ?? path
        self.path = place
        lock = try SQLiteServiceLock(path: place + ".lock", database: place)
        share(place + ".lock")
    }

    func release() { lock.release() }

    /// Sees to it that the file alone is the database, and that nobody uses it.
    ///
    /// - Returns: whether there is nothing in it that anybody would miss: no file, or no row but those of migrations.
    @discardableResult
    func retire() throws(DatabaseError) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0, status.st_size > 0 else { return true }
        do throws(DatabaseError) {
            let database = try SQLiteHandle(path, .shared)
            // Moves the log into the file; refused while anybody else has it open.
            guard try database.texts("PRAGMA journal_mode = DELETE") == ["delete"] else {
                throw DatabaseError(.busy, "")
            }
            return try isEmpty(database)
        } catch {
            switch error.code {
            case .busy:
                throw DatabaseError(.unavailable, "The database \(path) is in use by another program; end that first.")
            // What is damaged may be all that is left of something.
            case .corrupt: return false
            default: throw error
            }
        }
    }

    private func isEmpty(_ database: SQLiteHandle) throws(DatabaseError) -> Bool {
        let tables = try database.texts(
            """
            SELECT name FROM sqlite_schema
            WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'schema_migrations'
            """
        )
        for table in tables {
            let name = table.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            guard try database.number("SELECT EXISTS (SELECT 1 FROM \"\(name)\")") == 0 else { return false }
        }
        return true
    }

    /// Gives the place to a new database.
    ///
    /// - Returns: where the former one is kept.
    func replace(by file: UnfinishedFile, keepsFormer: Bool) throws(DatabaseError) -> String? {
        var owner = stat()
        if stat(path, &owner) == 0 || stat(UnfinishedFile.folder(of: path), &owner) == 0 {
            file.give(to: owner.st_uid, owner.st_gid)
        }
        var kept: String?
        if keepsFormer {
            let name = try freeName()
            guard link(path, name) == 0 else {
                throw DatabaseError(.unavailable, "\(path) cannot be kept as \(name): \(systemError(errno)).")
            }
            kept = name
        }
        // There are none but those of a damaged database, which a new one may not read.
        for suffix in ["-wal", "-shm", "-journal"] {
            if let kept, rename(path + suffix, kept + suffix) == 0 { continue }
            unlink(path + suffix)
        }
        try file.replace(path)
        return kept
    }

    private func freeName() throws(DatabaseError) -> String {
        for number in 1...10_000 {
            let name = "\(path).replaced-\(number)"
            var status = stat()
            if lstat(name, &status) != 0 { return name }
        }
        throw DatabaseError(.other, "Too many former databases are kept as \(path).replaced-…; remove some.")
    }

    /// An administrator's lock file must not keep the registry out, which has another name.
    private func share(_ file: String) {
        var directory = stat()
        guard geteuid() == 0, stat(UnfinishedFile.folder(of: file), &directory) == 0 else { return }
        _ = lchown(file, directory.st_uid, directory.st_gid)
    }
}
