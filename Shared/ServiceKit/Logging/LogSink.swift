internal import Glibc
internal import Synchronization

/// Where lines go: standard error or a file. Safe for concurrent use; each line is one `write(2)`, so that lines of several
/// threads and of several processes that append to one file stay whole.
///
/// A file that was moved away, as logrotate does, is opened anew under its name: no signal is needed. That is looked at
/// when a line is written, at most once a second. What a file refuses to take (no space left) goes to standard error.
package final class LogSink: Sendable {
    /// `nil` for standard error.
    private let path: String?
    private let state: Mutex<OpenLog>
    private let monotonicSeconds: @Sendable () -> Int

    package static let standardError = LogSink()

    private init() {
        path = nil
        monotonicSeconds = { 0 }
        state = Mutex(OpenLog(descriptor: STDERR_FILENO, lookedAt: 0))
    }

    /// Opens the file for appending, with mode 0640 when it is new. The clock limits the looks at the file's name.
    ///
    /// - Throws: a sentence with the path and the system's reason.
    package init(
        path: String,
        monotonicSeconds: @escaping @Sendable () -> Int = LogSink.monotonicSeconds
    ) throws(ConfigurationError) {
        self.path = path
        self.monotonicSeconds = monotonicSeconds
        guard let opened = OpenLog(opening: path, at: monotonicSeconds()) else {
            throw ConfigurationError("\(path): the log file cannot be opened: \(String(cString: strerror(errno)))")
        }
        state = Mutex(opened)
    }

    deinit {
        guard path != nil else { return }
        state.withLock { state in _ = close(state.descriptor) }
    }

    package func write(_ line: [UInt8]) {
        let written = state.withLock { state in
            if let path { state.follow(path, at: monotonicSeconds()) }
            return write(line, to: state.descriptor)
        }
        if !written, path != nil { LogSink.standardError.write(line) }
    }

    package static func monotonicSeconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return time.tv_sec
    }

    /// - Returns: whether all of it was taken. A reader that blocks a non-blocking descriptor for long loses the line.
    private func write(_ line: [UInt8], to descriptor: Int32) -> Bool {
        line.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    guard poll(&poller, 1, 100) > 0 else { return false }
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }
}

/// The descriptor that lines go to, and which file it is.
private struct OpenLog {
    var descriptor: Int32
    var device: dev_t = 0
    var inode: ino_t = 0
    /// Monotonic seconds of the last look at the file's name.
    var lookedAt: Int
}

extension OpenLog {
    fileprivate init?(opening path: String, at now: Int) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            close(descriptor)
            return nil
        }
        self.init(descriptor: descriptor, device: status.st_dev, inode: status.st_ino, lookedAt: now)
    }

    /// Changes over to the file that has the name now. While none can be opened, the old one goes on.
    fileprivate mutating func follow(_ path: String, at now: Int) {
        guard now != lookedAt else { return }
        lookedAt = now
        var status = stat()
        if stat(path, &status) == 0, status.st_dev == device, status.st_ino == inode { return }
        guard let successor = OpenLog(opening: path, at: now) else { return }
        close(descriptor)
        self = successor
    }
}
