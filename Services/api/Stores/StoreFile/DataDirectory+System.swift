internal import Glibc
internal import StoreLayer

/// What a data directory asks of the system. All of it blocks.
extension DataDirectory {
    /// Bytes that this process may still write.
    func freeByteCount() throws(SystemCallError) -> Int64 {
        var status = statvfs()
        try system("statvfs", path) { statvfs(path, &status) }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return overflow ? .max : Int64(clamping: bytes)
    }

    /// Creates what is missing, and tries whether files can be written, linked and removed.
    func prepare(permissions: UInt32?) throws(SystemCallError) {
        var parent = ""
        for part in path.split(separator: "/") {
            parent += "/\(part)"
            try createDirectory(parent, mode: 0o755)
        }
        try createDirectory(uploads, mode: 0o700)
        if let permissions { try letIn(permissions) }
        try probe()
    }

    /// Those who may use the files must be able to reach them (glance_store filesystem driver).
    private func letIn(_ permissions: UInt32) throws(SystemCallError) {
        var status = stat()
        try system("stat", path) { stat(path, &status) }
        var mode = status.st_mode & 0o7777
        if permissions & 0o070 != 0 { mode |= 0o010 }
        if permissions & 0o007 != 0 { mode |= 0o001 }
        if mode != status.st_mode & 0o7777 { try system("chmod", path) { chmod(path, mode) } }
    }

    private func createDirectory(_ path: String, mode: mode_t) throws(SystemCallError) {
        do throws(SystemCallError) {
            try system("mkdir", path) { mkdir(path, mode) }
        } catch {
            if error.number != EEXIST { throw error }
        }
    }

    /// Two names that no attempt can have, and that no other process has.
    private func probe() throws(SystemCallError) {
        let one = "\(uploads)/.probe-\(getpid())"
        let other = "\(path)/.probe-\(getpid())"
        // A process with the same number may have died between these lines.
        try removeName(one)
        try removeName(other)
        let file = try OpenFile(one, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        defer {
            unlink(one)
            unlink(other)
        }
        try file.sync()
        try system("link", other) { link(one, other) }
    }

    /// Opens an object, which is a regular file; anything else of its name is no object.
    func open(
        _ object: String,
        _ translate: (SystemCallError) -> StoreError
    ) throws(StoreError) -> (OpenFile, FileStatus) {
        let (file, status) = try translating(translate) { () throws(SystemCallError) in
            let file = try OpenFile("\(path)/\(object)", O_RDONLY)
            return (file, try file.status())
        }
        guard status.isRegular else { throw .notFound }
        return (file, status)
    }

    /// - Parameter identity: Of the file meant; any when `nil`.
    /// - Throws: `notFound` also when the name has become another file's.
    func delete(_ object: String, identity: String?, patience: Duration) throws(StoreError) {
        let file: OpenFile
        let status: FileStatus
        do throws(StoreError) {
            (file, status) = try open(object, StoreError.init(deleting:))
        } catch {
            if error.code == .notFound { try requirePresence() }
            throw error
        }
        if let identity, identity != status.identity {
            throw StoreError(.notFound, "The file there is not the one that was stored, and stays")
        }
        let isRemoved = try translating(StoreError.init(deleting:)) { () throws(SystemCallError) in
            try remove("\(path)/\(object)", of: file, patience: patience)
        }
        if !isRemoved { throw .notFound }
    }

    /// Removes a final name, if it is the file's.
    ///
    /// Done with the file's lock held and after looking again whose the name is: as every remover does so, and publishing
    /// never replaces, the name can not become another file's in between.
    ///
    /// - Parameter file: Open, so that its inode number can not become another's.
    /// - Returns: `false` when the name is not the file's, or no more.
    @discardableResult
    func remove(_ final: String, of file: OpenFile, patience: Duration) throws(SystemCallError) -> Bool {
        let status = try file.status()
        guard try FileStatus.of(final)?.isSameFile(as: status) == true else { return false }
        try file.lock(patience: patience)
        guard try FileStatus.of(final)?.isSameFile(as: status) == true else { return false }
        try removeName(final)
        try OpenFile.syncDirectory(path)
        return true
    }

    /// Tells a directory without data from one that is not mounted, where nothing may be taken for gone.
    func requirePresence() throws(StoreError) {
        let uploads = try translating(StoreError.init(deleting:)) { () throws(SystemCallError) in
            try FileStatus.of(self.uploads)
        }
        if uploads == nil { throw StoreError(.unavailable, "Image storage does not answer") }
    }

    /// The names of attempts, those being discarded included.
    func attempts() throws(SystemCallError) -> [String] {
        guard let stream = opendir(uploads) else {
            let number = errno
            if number == ENOENT { return [] }
            throw SystemCallError("opendir", uploads, number: number)
        }
        defer { closedir(stream) }
        var names: Set<String> = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                let number = errno
                if number != 0 { throw SystemCallError("readdir", uploads, number: number) }
                return names.sorted()
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            names.insert(name.hasPrefix(".") ? String(name.dropFirst()) : name)
        }
    }
}

/// Removes a name that need not be there.
func removeName(_ path: String) throws(SystemCallError) {
    do throws(SystemCallError) {
        try system("unlink", path) { unlink(path) }
    } catch {
        if error.number != ENOENT { throw error }
    }
}
