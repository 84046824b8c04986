internal import Glibc
internal import StoreLayer

/// The three names that the bytes of one attempt can have, and the rules by which they change. All calls block.
///
/// - `temporary`: `.uploads/<object>.<attempt>`. The only name while bytes are written. It stays after publishing, as the
///   proof that the final name is this attempt's, until the attempt is confirmed.
/// - `final`: `<object>`. Given by `link`, which never overwrites and needs the temporary name to be there.
/// - `dropped`: `.uploads/.<object>.<attempt>`. What a discard renames the temporary name to *before* it looks at the
///   final name. From then on the writer's `link` fails, so the final name can no longer become this attempt's behind the
///   discard's back; yet the proof stays until the final name is gone, so that a discard that died is finished by the next.
///
/// Final names are removed by ``DataDirectory/remove(_:of:patience:)`` alone.
struct AttemptFiles {
    let directory: DataDirectory
    let object: String
    let attempt: String

    var final: String { "\(directory.path)/\(object)" }
    var temporary: String { "\(directory.uploads)/\(object).\(attempt)" }
    var dropped: String { "\(directory.uploads)/.\(object).\(attempt)" }

    /// Leaves the first trace of the attempt. Only after this may be asked whether the attempt still has its lease: a
    /// discard that came before finds the lease expired, one that comes after finds the trace.
    func create() throws(SystemCallError) -> OpenFile {
        try OpenFile(temporary, O_RDWR | O_CREAT | O_EXCL, mode: 0o666)
    }

    /// Makes bytes visible that are complete and durable.
    ///
    /// - Throws: `superseded` when the lease passed on or a discard came first; `alreadyExists`.
    func publish(_ file: OpenFile, mayStillPublish: () -> Bool) throws(StoreError) {
        try translating(StoreError.init(writing:)) { () throws(SystemCallError) in
            // Were the trace less durable than the final name, a crash could leave bytes that no discard finds.
            try OpenFile.syncDirectory(directory.uploads)
        }
        guard mayStillPublish() else { throw .superseded }
        do throws(SystemCallError) {
            try system("link", final) { link(temporary, final) }
        } catch {
            switch error.number {
            case ENOENT: throw .superseded
            case EEXIST where isPublished(file): break
            case EEXIST: throw .duplicate
            default: throw StoreError(writing: error)
            }
        }
        try translating(StoreError.init(writing:)) { () throws(SystemCallError) in
            try OpenFile.syncDirectory(directory.path)
        }
    }

    /// Whether the final name is the file's: a network file system may report a link that it made as one that was there.
    func isPublished(_ file: OpenFile) -> Bool {
        do throws(SystemCallError) {
            return try hasFinalName(file)
        } catch {
            // Not known to be ours: the attempt fails and is discarded, which looks again.
            return false
        }
    }

    func hasFinalName(_ file: OpenFile) throws(SystemCallError) -> Bool {
        try FileStatus.of(final)?.isSameFile(as: file.status()) ?? false
    }

    /// Removes the proof that a discard goes by.
    func confirm() throws(StoreError) {
        try translating(StoreError.init(deleting:)) { () throws(SystemCallError) in
            try removeName(temporary)
            // Were it to come back after a crash, somebody might discard what is long recorded.
            try OpenFile.syncDirectory(directory.uploads)
        }
    }

    /// Removes whatever the attempt left, and keeps it from publishing from now on.
    func discard(patience: Duration) throws(StoreError) {
        guard let file = try fence() else { return }
        try translating(StoreError.init(deleting:)) { () throws(SystemCallError) in
            try directory.remove(final, of: file, patience: patience)
            try removeName(dropped)
            try OpenFile.syncDirectory(directory.uploads)
        }
    }

    /// Takes the temporary name away from the writer.
    ///
    /// - Returns: The attempt's file, kept open so that its inode number can not become another's; `nil` when the attempt
    ///   left none, or was confirmed or discarded already.
    private func fence() throws(StoreError) -> OpenFile? {
        do throws(SystemCallError) {
            try system("rename", temporary) { rename(temporary, dropped) }
        } catch {
            // None, or an earlier discard died between its steps.
            if error.number != ENOENT { throw StoreError(deleting: error) }
        }
        do throws(SystemCallError) {
            return try OpenFile(dropped, O_RDONLY)
        } catch {
            if error.number != ENOENT { throw StoreError(deleting: error) }
        }
        try directory.requirePresence()
        return nil
    }
}
