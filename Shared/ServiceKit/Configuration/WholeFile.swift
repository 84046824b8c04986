internal import Glibc

/// Files that are read once, while a program starts.
public enum WholeFile {
    /// All that a file holds.
    ///
    /// - Throws: a sentence that names the file and what the system says.
    public static func bytes(of path: String) throws(ConfigurationError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ConfigurationError("\(path): cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count == 0 { return contents }
            if count > 0 {
                contents.append(contentsOf: buffer[..<count])
            } else if errno != EINTR {
                throw ConfigurationError("\(path): cannot be read: \(String(cString: strerror(errno)))")
            }
        }
    }
}
