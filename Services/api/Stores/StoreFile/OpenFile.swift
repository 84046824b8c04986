internal import CFileSystem
internal import Glibc

/// A file that is open as long as this is referred to, so that a descriptor is never closed under a read or write.
/// All calls block.
final class OpenFile: Sendable {
    let path: String
    let descriptor: Int32

    /// Never follows a symbolic link in the last component, nor waits for what is no regular file.
    init(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(SystemCallError) {
        self.path = path
        self.descriptor = try system("open", path) {
            open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode)
        }
    }

    // Nothing can be done about an error, and nothing is lost: what counts was synced before.
    deinit { close(descriptor) }

    func status() throws(SystemCallError) -> FileStatus {
        var status = stat()
        try system("fstat", path) { fstat(descriptor, &status) }
        return FileStatus(status)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(SystemCallError) {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            done += try system("pwrite", path) {
                pwrite(descriptor, base + done, bytes.count - done, off_t(offset) + off_t(done))
            }
        }
    }

    /// - Returns: How many bytes there were; fewer than fit only where the file ends.
    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemCallError) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        var done = 0
        while done < bytes.count {
            let count = try system("pread", path) {
                pread(descriptor, base + done, bytes.count - done, off_t(offset) + off_t(done))
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Gives a part of the file its blocks, which read as zeros until they are written.
    func allocate(_ range: Range<Int64>) throws(SystemCallError) {
        try system("fallocate", path) {
            fallocate(descriptor, 0, off_t(range.lowerBound), off_t(range.count))
        }
    }

    func truncate(to byteCount: Int64) throws(SystemCallError) {
        try system("ftruncate", path) { ftruncate(descriptor, off_t(byteCount)) }
    }

    /// Does what it can: some file systems have no permissions, and the data is as good without (glance_store's rule).
    func changePermissions(_ bits: UInt32) { _ = fchmod(descriptor, bits) }

    func sync() throws(SystemCallError) {
        try system("fsync", path) { fsync(descriptor) }
    }

    /// Makes what was linked, renamed and unlinked in a directory durable.
    static func syncDirectory(_ path: String) throws(SystemCallError) {
        try OpenFile(path, O_RDONLY | O_DIRECTORY).sync()
    }

    /// Takes the exclusive lock of this file, which ends with this object or with the process.
    ///
    /// - Throws: `EWOULDBLOCK` when somebody else kept it for all of `patience`.
    func lock(patience: Duration) throws(SystemCallError) {
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        while true {
            do throws(SystemCallError) {
                try system("flock", path) { flock(descriptor, LOCK_EX | LOCK_NB) }
                return
            } catch {
                guard error.number == EWOULDBLOCK, clock.now < deadline else { throw error }
                usleep(10_000)
            }
        }
    }

    // Fails for a descriptor that is none alone.
    func unlock() { flock(descriptor, LOCK_UN) }
}

/// What tells files apart.
struct FileStatus {
    /// The place on the device. Unique among files that exist or are open.
    var device: UInt64
    var inode: UInt64
    var byteCount: Int64
    var isRegular: Bool
    private var modified: timespec

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        byteCount = Int64(status.st_size)
        isRegular = status.st_mode & S_IFMT == S_IFREG
        modified = status.st_mtim
    }

    /// Inode numbers are used again once a file is gone; the time of the last write tells the users apart.
    var identity: String { "\(inode):\(Int64(modified.tv_sec) * 1_000_000_000 + Int64(modified.tv_nsec))" }

    func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }

    /// What has the name now; `nil` when nothing has.
    static func of(_ path: String) throws(SystemCallError) -> FileStatus? {
        var status = stat()
        do throws(SystemCallError) {
            try system("lstat", path) { lstat(path, &status) }
        } catch {
            if error.number == ENOENT { return nil }
            throw error
        }
        return FileStatus(status)
    }
}

extension UnsafeRawBufferPointer {
    /// Whether all bytes are zero: the first one is, and each is like the one before.
    var isZero: Bool {
        guard let base = baseAddress, let first else { return true }
        return first == 0 && memcmp(base, base + 1, count - 1) == 0
    }
}
