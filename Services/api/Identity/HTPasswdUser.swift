/// A user of a password file: one line of it, `name:bcrypt-hash[:attributes]`.
///
/// The attributes are separated by semicolons, each is optional, and no other word is known:
///
/// | attribute | meaning | where it is missing |
/// |---|---|---|
/// | `project=ID` | the project in whose name the user acts, the owner of what is created | the user's name |
/// | `roles=a,b` | roles, in any case | `member` |
/// | `user=ID` | the user's id | the user's name |
///
/// So a plain file of name and hash gives every user a project of their own. The file stands in Keystone's place, so
/// it implies roles as Keystone does: `admin` brings `manager`, that `member`, that `reader`.
public struct HTPasswdUser: Sendable, Equatable {
    public let name: String
    public let userID: String
    public let project: String
    /// Lower case, with the implied ones.
    public let roles: Set<String>
    let hash: BcryptHash

    /// - Throws: What is wrong with the line.
    init(line: String) throws(Complaint) {
        let columns = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard columns.count >= 2, !columns[0].isEmpty else { throw Complaint("expected name:bcrypt-hash") }
        guard let hash = BcryptHash(columns[1].trimmed) else {
            throw Complaint(
                "the hash of \(columns[0]) is not bcrypt ($2y$, $2a$ or $2b$, cost 4 to 16); make one with htpasswd -B"
            )
        }
        let attributes = try Self.attributes(columns.count == 3 ? columns[2] : "")
        name = columns[0]
        self.hash = hash
        userID = attributes["user"] ?? name
        project = attributes["project"] ?? name
        roles = Self.withImplied(Set((attributes["roles"] ?? "member").commaList.map { $0.lowercased() }))
    }

    private static func attributes(_ column: String) throws(Complaint) -> [String: String] {
        var attributes: [String: String] = [:]
        for item in column.split(separator: ";") where !item.trimmed.isEmpty {
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = pair[0].trimmed
            guard ["project", "roles", "user"].contains(key), pair.count == 2 else {
                throw Complaint("expected project=, roles= or user= and found \"\(key)\"")
            }
            let value = pair[1].trimmed
            guard !value.isEmpty, key != "roles" || !value.commaList.isEmpty else { throw Complaint("\(key) is empty") }
            guard attributes.updateValue(value, forKey: key) == nil else { throw Complaint("\(key) is there twice") }
        }
        return attributes
    }

    private static func withImplied(_ roles: Set<String>) -> Set<String> {
        var all = roles
        for (role, implied) in [("admin", "manager"), ("manager", "member"), ("member", "reader")]
        where all.contains(role) {
            all.insert(implied)
        }
        return all
    }

    /// What is wrong with a line.
    struct Complaint: Error {
        var text: String
        init(_ text: String) { self.text = text }
    }
}
