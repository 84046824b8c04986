import Glibc

/// A file that others read at any moment: it is replaced whole.
struct MetricsFile {
    let path: String

    /// A system call that failed.
    struct Failure: CustomStringConvertible {
        var call: String
        var number: Int32

        var description: String { "\(call): \(String(cString: strerror(number)))" }
    }

    /// - Returns: why it could not be written.
    func write(_ text: String) -> Failure? {
        let temporary = "\(path).\(getpid())"
        guard let file = fopen(temporary, "we") else { return Failure(call: "open", number: errno) }
        let bytes = Array(text.utf8)
        let written = fwrite(bytes, 1, bytes.count, file)
        let closed = fclose(file)
        guard written == bytes.count, closed == 0, rename(temporary, path) == 0 else {
            let number = errno
            unlink(temporary)
            return Failure(call: "write", number: number)
        }
        return nil
    }
}
