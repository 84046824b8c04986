internal import Glibc

/// Unbuffered lines: results on standard output, progress and warnings on standard error.
enum Console {
    static func line(_ text: String = "") { write(text + "\n", to: STDOUT_FILENO) }
    static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return  // The reader of a pipe is gone; the images still have to be removed.
            }
        }
    }
}
