/// The users of one version of a password file.
struct HTPasswdTable: Sendable {
    private let users: [String: HTPasswdUser]
    /// Checked where the name is unknown, so that it takes as long as where the password is wrong.
    let dummyHash: BcryptHash

    /// Reads all lines; `path` is for the error alone.
    ///
    /// - Throws: What is wrong, and in which line. A file without any user is wrong: it cannot be what was meant, and a
    ///   file that is just being rewritten in place looks like that.
    init(_ bytes: [UInt8], path: String) throws(HTPasswdFileError) {
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw HTPasswdFileError(path: path, reason: "is not UTF-8 text")
        }
        var users: [String: HTPasswdUser] = [:]
        for (number, line) in Self.entries(in: text) {
            let user: HTPasswdUser
            do {
                user = try HTPasswdUser(line: line)
            } catch {
                throw HTPasswdFileError(path: path, line: number, reason: error.text)
            }
            guard users.updateValue(user, forKey: user.name) == nil else {
                throw HTPasswdFileError(path: path, line: number, reason: "the user \(user.name) is there twice")
            }
        }
        guard let cost = users.values.map(\.hash.cost).max() else {
            throw HTPasswdFileError(path: path, reason: "names no user")
        }
        self.users = users
        dummyHash = .dummy(cost: cost)
    }

    var count: Int { users.count }

    subscript(name: String) -> HTPasswdUser? { users[name] }

    /// The lines that are neither blank nor comments (`#`), with their numbers, which begin at 1.
    private static func entries(in text: String) -> [(number: Int, line: String)] {
        // A carriage return and a line feed are one character; lines are split between scalars.
        text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            .map { (number: $0.offset + 1, line: Substring($0.element).trimmed) }
            .filter { !$0.line.isEmpty && !$0.line.hasPrefix("#") }
    }
}
