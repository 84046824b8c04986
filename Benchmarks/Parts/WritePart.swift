internal import ArgumentParser
internal import Glibc

/// So many bytes into a file that is made durable, as the file store writes them.
struct WritePart: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "write", abstract: "Writes a file, and removes it.")

    @Argument(help: "Its path; nothing may be there.")
    var path: String
    @Argument(help: "Bytes.")
    var byteCount: Int

    func run() throws {
        let batches = RandomBatches()
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("open") }
        defer {
            close(file)
            unlink(path)
        }
        let usage = Usage()
        try batches.forEach(upTo: byteCount) { bytes, offset in
            guard pwrite(file, bytes.baseAddress, bytes.count, off_t(offset)) == bytes.count else {
                throw failure("pwrite")
            }
        }
        guard fsync(file) == 0 else { throw failure("fsync") }
        print(usage.line)
    }

    private func failure(_ call: String) -> ValidationError {
        ValidationError("\(call) \(path): \(String(cString: strerror(errno)))")
    }
}
