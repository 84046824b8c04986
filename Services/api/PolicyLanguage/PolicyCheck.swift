/// The smallest part of a rule: one question about the target and the credentials (oslo.policy, "Policy rule
/// expressions").
public enum PolicyCheck: Sendable, Equatable {
    /// `@`.
    case always
    /// `!`, and a word that is no check at all.
    case never
    /// `role:member`: among the roles of the credentials, whatever the case.
    case role(PolicyPattern)
    /// `rule:context_is_admin`: another rule.
    case rule(String)
    /// `http://…` or `https://…`: asks another service, at an address in which values of the target may stand.
    case remote(PolicyPattern)
    /// `'public':%(visibility)s`: a literal, in its text form, beside a text of the target.
    case literal(String, PolicyPattern)
    /// `project_id:%(owner)s`: what the credentials hold at a path of names, beside a text of the target.
    case credential([String], PolicyPattern)
    /// A left side that the reference fails on, once the right side has its text. It ends the evaluation without an answer.
    case broken(String, PolicyPattern)

    /// - Parameter word: A word of a rule, without the parentheses around it.
    init(_ word: String) {
        switch word {
        case "@": self = .always
        case "!": self = .never
        default:
            guard let colon = word.firstIndex(of: ":") else {
                self = .never
                return
            }
            self.init(kind: String(word[..<colon]), match: String(word[word.index(after: colon)...]))
        }
    }

    private init(kind: String, match: String) {
        switch kind {
        case "rule": self = .rule(match)
        case "http", "https": self = .remote(PolicyPattern("\(kind):\(match)"))
        default:
            let pattern = PolicyPattern(match)
            if kind == "role" {
                self = .role(pattern.lowercased())
                return
            }
            switch PythonLiteral(kind) {
            case .text(let text): self = .literal(text, pattern)
            case .path(let names): self = .credential(names, pattern)
            case .invalid: self = .broken("'\(kind)' is neither a literal nor the name of a credential", pattern)
            }
        }
    }

    /// What is wrong with it, though it can be evaluated.
    func problem(in word: String) -> String? {
        switch self {
        case .never where word != "!":
            "'\(word)' is no check: one is written kind:match, and this one never holds"
        case .broken(let reason, _): reason
        case .role(let pattern), .literal(_, let pattern), .credential(_, let pattern), .remote(let pattern):
            pattern.isMalformed ? "'\(word)' has \(PolicyPattern.malformation)" : nil
        default: nil
        }
    }
}
