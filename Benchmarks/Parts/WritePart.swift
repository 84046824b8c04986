internal import ArgumentParser
internal import Glibc

/// So many bytes into files that are made durable, as the file store writes them.
struct WritePart: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "write", abstract: "Writes files, and removes them.")

    @Argument(help: "Their path, to which a number is added; nothing may be there.")
    var path: String
    @Argument(help: "Bytes, of all files together.")
    var byteCount: Int
    @Option(help: "How many files take the bytes in turns.")
    var files = 1
    @Flag(help: "Leaves the bytes to the system: no fsync of a file and of its directory.")
    var unsynced = false

    func validate() throws {
        guard files > 0, byteCount % files == 0 else { throw ValidationError("The files must have the same length.") }
    }

    func run() throws {
        let batches = RandomBatches()
        let paths = (0..<files).map { "\(path).\($0)" }
        defer { for path in paths { unlink(path) } }
        let open = try paths.map { path in try Self.open(path, O_WRONLY | O_CREAT | O_EXCL) }
        defer { for file in open { close(file) } }
        let usage = Usage()
        try batches.forEach(upTo: byteCount / files) { bytes, offset in
            for (file, path) in zip(open, paths) {
                guard pwrite(file, bytes.baseAddress, bytes.count, off_t(offset)) == bytes.count else {
                    throw Self.failure("pwrite", path)
                }
            }
        }
        if !unsynced { for (file, path) in zip(open, paths) { try sync(file, path) } }
        print(usage.line)
    }

    /// A file, and the names that the store makes durable for each: the temporary one, the final one, and that the temporary
    /// one is gone.
    private func sync(_ file: Int32, _ path: String) throws {
        guard fsync(file) == 0 else { throw Self.failure("fsync", path) }
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        for step in 0..<3 {
            if step == 1 { guard link(path, path + ".final") == 0 else { throw Self.failure("link", path) } }
            if step == 2 { unlink(path + ".final") }
            let names = try Self.open(directory.isEmpty ? "/" : directory, O_RDONLY | O_DIRECTORY)
            defer { close(names) }
            guard fsync(names) == 0 else { throw Self.failure("fsync", directory) }
        }
    }

    private static func open(_ path: String, _ flags: Int32) throws -> Int32 {
        let file = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("open", path) }
        return file
    }

    private static func failure(_ call: String, _ path: String) -> ValidationError {
        ValidationError("\(call) \(path): \(String(cString: strerror(errno)))")
    }
}
