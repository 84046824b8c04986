internal import Digests
internal import Glibc
internal import ImageModel

extension HTPasswdFile {
    /// Adds a user to a password file, or replaces the line of that name; makes the file where there is none.
    ///
    /// The file is replaced as a whole, with mode 0600 and its owner kept, so that a reader sees the old or the new
    /// version and a crash leaves one of them. Two that write at once take turns. Blocks while it hashes.
    ///
    /// - Throws: ``HTPasswdFileError`` when the file is broken or cannot be written, `ServiceError` (`invalidRequest`)
    ///   when a value cannot stand in such a file.
    public static func setUser(
        path: String,
        name: String,
        password: String,
        project: String,
        roles: [String],
        userID: String? = nil,
        cost: Int = 12
    ) throws {
        try require(name, "name", without: ":")
        try require(project, "project", without: ";")
        for role in roles { try require(role, "role", without: ",;") }
        try require(userID ?? name, "user ID", without: ";")
        guard !name.hasPrefix("#") else { throw ServiceError(.invalidRequest, "The name begins with #.") }
        guard !roles.isEmpty else { throw ServiceError(.invalidRequest, "A user needs a role.") }
        let hash = try bcryptHash(password: password, cost: cost)
        let line = "\(name):\(hash):project=\(project);roles=\(roles.joined(separator: ","));user=\(userID ?? name)"

        let file = try resolved(path)
        let directory = try LockedDirectory(of: file)
        var lines: [String] = []
        var owner: (uid_t, gid_t)?
        if access(file, F_OK) == 0 {
            lines = try linesToKeep(of: file, without: name)
            var status = stat()
            guard stat(file, &status) == 0 else { throw HTPasswdFileError(path: file, doing: "look at it") }
            owner = (status.st_uid, status.st_gid)
        }
        let text = (lines + [line]).joined(separator: "\n") + "\n"
        try replace(file, with: Array(text.utf8), owner: owner)
        try directory.synchronize()
    }

    private static func require(_ value: String, _ what: String, without separators: String) throws(ServiceError) {
        let isPlain = value.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 32 && scalar.value != 127 && !separators.unicodeScalars.contains(scalar)
        }
        guard !value.isEmpty, isPlain, value.trimmed == value else {
            throw ServiceError(
                .invalidRequest,
                "The \(what) is empty, begins or ends with a blank, or holds a control character or \"\(separators)\"."
            )
        }
    }

    /// Where a symbolic link leads, so that the file is replaced and not the link.
    private static func resolved(_ path: String) throws(HTPasswdFileError) -> String {
        guard let real = realpath(path, nil) else {
            guard errno == ENOENT else { throw HTPasswdFileError(path: path, doing: "find it") }
            return path
        }
        defer { free(real) }
        return String(cString: real)
    }

    /// All lines, comments and blank ones too, but that user's. Checks them all: a broken file is not made worse.
    private static func linesToKeep(of file: String, without name: String) throws(HTPasswdFileError) -> [String] {
        let bytes = try HTPasswdSnapshot(reading: file).bytes
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw HTPasswdFileError(path: file, reason: "is not UTF-8 text")
        }
        var lines: [String] = []
        for (index, scalars) in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let line = Substring(scalars).trimmed
            if !line.isEmpty, !line.hasPrefix("#") {
                do {
                    if try HTPasswdUser(line: line).name == name { continue }
                } catch {
                    throw HTPasswdFileError(path: file, line: index + 1, reason: error.text)
                }
            }
            lines.append(line)
        }
        // What follows the last line feed is no line.
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    private static func replace(
        _ file: String,
        with bytes: [UInt8],
        owner: (user: uid_t, group: gid_t)?
    ) throws(HTPasswdFileError) {
        let temporary = "\(file).\(randomBytes(8).hexadecimal)"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw HTPasswdFileError(path: temporary, doing: "make it") }
        do throws(HTPasswdFileError) {
            defer { close(descriptor) }
            try write(bytes, to: descriptor, temporary)
            if let owner, owner != (geteuid(), getegid()), fchown(descriptor, owner.user, owner.group) != 0 {
                throw HTPasswdFileError(path: temporary, doing: "give it to the owner of the file")
            }
            guard fsync(descriptor) == 0 else { throw HTPasswdFileError(path: temporary, doing: "write it to disk") }
            guard rename(temporary, file) == 0 else { throw HTPasswdFileError(path: file, doing: "replace it") }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(HTPasswdFileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw HTPasswdFileError(path: path, doing: "write to it")
            }
        }
    }
}

/// The directory of a file, held so that one writer at a time replaces files in it.
private struct LockedDirectory: ~Copyable {
    private let descriptor: Int32
    private let path: String

    init(of file: String) throws(HTPasswdFileError) {
        let slash = file.lastIndex(of: "/")
        path = slash.map { $0 == file.startIndex ? "/" : String(file[..<$0]) } ?? "."
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw HTPasswdFileError(path: path, doing: "open the directory") }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                // `deinit` closes it, also when this throws.
                throw HTPasswdFileError(path: path, doing: "lock the directory")
            }
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Makes the renaming last.
    func synchronize() throws(HTPasswdFileError) {
        guard fsync(descriptor) == 0 else { throw HTPasswdFileError(path: path, doing: "write the directory to disk") }
    }
}
