internal import Glibc
internal import ServiceKit

/// The contents of policy files, all of one moment.
struct PolicySources {
    let sighting: PolicySighting
    let files: [(path: String, bytes: [UInt8])]

    /// Some ten thousand rules.
    private static let byteLimit = 1 << 20

    /// Reads what was sighted, and looks again where a file changed meanwhile.
    ///
    /// - Throws: one sentence that names the file.
    init(_ sighting: PolicySighting, _ settings: PolicySettings) throws(ConfigurationError) {
        var sighting = sighting
        for _ in 0..<8 {
            if let files = try Self.read(sighting) {
                self.sighting = sighting
                self.files = files
                return
            }
            sighting = PolicySighting(settings)
        }
        throw ConfigurationError(
            "\(sighting.files.first?.path ?? "the policy file"): changes faster than it can be read"
        )
    }

    /// Why somebody may be in the middle of writing.
    enum Doubt {
        /// A file is gone, or its last line does not end.
        case unfinished
        /// There is nothing in a file. Its times may be those of what was in it.
        case empty
    }

    /// - Parameter seen: What was there before: what has not changed since is in no doubt.
    func doubt(after seen: PolicySighting) -> Doubt? {
        let changed = zip(sighting.files, files).filter { !seen.files.contains($0.0) }
        if changed.contains(where: { $0.1.bytes.isEmpty }) { return .empty }
        let isUnfinished = changed.contains { _, file in
            file.bytes.last != UInt8(ascii: "\n") && file.bytes.last != UInt8(ascii: "}")
        }
        return isUnfinished || (seen.main != nil && sighting.main == nil) ? .unfinished : nil
    }

    /// - Returns: `nil` where a file is not the one that was sighted.
    private static func read(
        _ sighting: PolicySighting
    ) throws(ConfigurationError) -> [(path: String, bytes: [UInt8])]? {
        var files: [(path: String, bytes: [UInt8])] = []
        for file in sighting.files {
            // Not blocking, should it be a pipe.
            let descriptor = open(file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
            guard descriptor >= 0 else {
                if errno == ENOENT { return nil }
                throw ConfigurationError("\(file.path): cannot be opened: \(String(cString: strerror(errno)))")
            }
            defer { close(descriptor) }
            guard file.version.isFile else { throw ConfigurationError("\(file.path): is not a file") }
            let bytes = try read(descriptor, file.path)
            var status = stat()
            guard fstat(descriptor, &status) == 0, PolicySighting.Version(status) == file.version else { return nil }
            files.append((file.path, bytes))
        }
        return files
    }

    private static func read(_ descriptor: Int32, _ path: String) throws(ConfigurationError) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count == 0 { return bytes }
            if count > 0 {
                bytes += piece[..<count]
            } else if errno != EINTR {
                throw ConfigurationError("\(path): cannot be read: \(String(cString: strerror(errno)))")
            }
            guard bytes.count <= byteLimit else {
                throw ConfigurationError("\(path): is larger than \(byteLimit) bytes")
            }
        }
    }
}
