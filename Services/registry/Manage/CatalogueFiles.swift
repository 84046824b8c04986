import Glibc
import ServiceKit

/// The files of a catalogue: a directory of `*.json`, or one of them.
struct CatalogueFiles {
    var path: String

    /// What there is to load, by name.
    ///
    /// - Throws: a sentence when the path is neither, or holds nothing.
    func all() throws -> [String] {
        var status = stat()
        guard stat(path, &status) == 0 else { throw ProgramFailure("\(path): \(String(cString: strerror(errno)))") }
        guard status.st_mode & S_IFMT == S_IFDIR else { return [path] }
        guard let directory = opendir(path) else {
            throw ProgramFailure("\(path): cannot be read as a directory: \(String(cString: strerror(errno)))")
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".json") { names.append(name) }
        }
        guard !names.isEmpty else { throw ProgramFailure("\(path): holds no file *.json") }
        return names.sorted().map(file)
    }

    /// Writes a file whole, in the place of one of its name.
    func write(_ text: String, to name: String) throws {
        let target = file(name)
        let unfinished = target + ".new"
        guard let stream = fopen(unfinished, "we") else { throw failure(unfinished) }
        let bytes = Array(text.utf8)
        let count = fwrite(bytes, 1, bytes.count, stream)
        guard fclose(stream) == 0, count == bytes.count, rename(unfinished, target) == 0 else {
            let failure = failure(target)
            unlink(unfinished)
            throw failure
        }
    }

    private func file(_ name: String) -> String { path.hasSuffix("/") ? path + name : "\(path)/\(name)" }

    private func failure(_ file: String) -> ProgramFailure {
        ProgramFailure("\(file): cannot be written: \(String(cString: strerror(errno)))")
    }
}
