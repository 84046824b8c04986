import Glibc

/// A directory that is gone, with the files in it, when its owner is.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/servicekit.XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "no temporary directory")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in names { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    /// Of the entries, sorted.
    var names: [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            )
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }

    /// Writes a file and tells its path.
    @discardableResult
    func write(_ name: String, _ text: String) -> String {
        let file = fopen("\(path)/\(name)", "w")
        precondition(file != nil, "\(name) cannot be written")
        fputs(text, file)
        fclose(file)
        return "\(path)/\(name)"
    }

    func read(_ name: String) -> String {
        guard let file = fopen("\(path)/\(name)", "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = getc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
