/// The names that a file store gives, for the store and for whoever compares it with the records.
///
/// Data is `<directory>/<object>`, an object being an image's id. What an attempt to upload writes is
/// `<directory>/.uploads/<object>.<attempt>`, with a dot before it while the attempt is being discarded. No object's name
/// begins with a dot, so all else that does is none of the data.
public enum FileNames {
    /// The directory of attempts, inside of each directory of data.
    public static let uploads = ".uploads"

    /// A plain name, which leads nowhere and is none of the store's own.
    public static func isObject(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".") && name.utf8.count <= 200 && !name.utf8.contains { $0 == 0 || $0 == 0x2F }
    }

    public static func isAttempt(_ name: String) -> Bool {
        (1...50).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// Reads a name of the directory of attempts.
    ///
    /// - Parameter name: without the dot of one that is being discarded.
    /// - Returns: `nil` for a name that no attempt has.
    public static func attempt(_ name: String) -> (object: String, attempt: String)? {
        guard let dot = name.lastIndex(of: ".") else { return nil }
        let object = String(name[..<dot])
        let attempt = String(name[name.index(after: dot)...])
        return isObject(object) && isAttempt(attempt) ? (object, attempt) : nil
    }

    /// A directory of data as it is written in locations: absolute, without a slash at its end or two in a row.
    ///
    /// - Returns: `nil` unless the path is absolute and plain.
    public static func directory(_ path: String) -> String? {
        let parts = path.split(separator: "/")
        guard path.hasPrefix("/"), !parts.isEmpty, !parts.contains(where: { $0 == "." || $0 == ".." }),
            !path.utf8.contains(0)
        else { return nil }
        return "/" + parts.joined(separator: "/")
    }

    /// The file that a location means. Nothing is decoded or resolved, so nothing leads elsewhere.
    ///
    /// - Returns: `nil` for a location that is no file's, or whose name no object can have.
    public static func file(_ url: String) -> (directory: String, object: String)? {
        for scheme in ["file://", "filesystem://"] where url.hasPrefix(scheme) {
            let path = url.dropFirst(scheme.count)
            guard let slash = path.lastIndex(of: "/") else { return nil }
            let object = String(path[path.index(after: slash)...])
            guard isObject(object) else { return nil }
            // A directory written with more slashes than needed is the same one.
            return ("/" + path[..<slash].split(separator: "/").joined(separator: "/"), object)
        }
        return nil
    }
}
