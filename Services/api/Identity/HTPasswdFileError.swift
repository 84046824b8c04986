internal import Glibc

/// What is wrong with a password file. For the operator: it names a path.
public struct HTPasswdFileError: Error, Sendable, Equatable, CustomStringConvertible {
    public let path: String
    /// Begins at 1.
    public let line: Int?
    public let reason: String

    init(path: String, line: Int? = nil, reason: String) {
        self.path = path
        self.line = line
        self.reason = reason
    }

    /// What the system said last.
    init(path: String, doing what: String, errorNumber: Int32 = errno) {
        self.init(path: path, reason: "cannot \(what): \(String(cString: strerror(errorNumber)))")
    }

    public var description: String { "\(path)\(line.map { ", line \($0)" } ?? ""): \(reason)" }
}
