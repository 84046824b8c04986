internal import Glibc

/// The bytes of a password file, and which version of it they are.
struct HTPasswdSnapshot {
    let bytes: [UInt8]
    let version: Version
    /// Who may read and write it.
    let permissions: mode_t

    /// What differs between two versions of a file, as cheaply as one may ask.
    struct Version: Equatable {
        private let numbers: [Int]

        fileprivate init(_ status: stat) {
            numbers = [
                Int(status.st_dev), Int(truncatingIfNeeded: status.st_ino), Int(status.st_size), status.st_mtim.tv_sec,
                status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
            ]
        }

        /// - Returns: `nil` when there is no such file.
        init?(of path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            self.init(status)
        }
    }

    /// Some ten thousand users.
    private static let byteLimit = 1 << 20

    /// - Throws: Also when others than its owner may write to the file.
    init(reading path: String) throws(HTPasswdFileError) {
        // Not blocking, should it be a pipe.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw HTPasswdFileError(path: path, doing: "open it") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw HTPasswdFileError(path: path, doing: "look at it") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw HTPasswdFileError(path: path, reason: "is not a file") }
        permissions = status.st_mode & 0o7777
        guard permissions & (S_IWGRP | S_IWOTH) == 0 else {
            throw HTPasswdFileError(path: path, reason: "may be written by its group or by others; chmod go-w it")
        }
        guard status.st_size <= Self.byteLimit else {
            throw HTPasswdFileError(path: path, reason: "is larger than \(Self.byteLimit) bytes")
        }
        bytes = try Self.read(descriptor, path)
        version = Version(status)
    }

    private static func read(_ descriptor: Int32, _ path: String) throws(HTPasswdFileError) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= byteLimit {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count == 0 { break }
            if count > 0 {
                bytes += piece[..<count]
            } else if errno != EINTR {
                throw HTPasswdFileError(path: path, doing: "read it")
            }
        }
        return bytes
    }
}
