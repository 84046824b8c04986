/// What holds for a rule while no policy file says otherwise.
public struct PolicyDefault: Sendable {
    public let rule: PolicyRule
    /// In the rule language.
    public let check: String
    /// What the rule guards, in a few words.
    public let purpose: String
    /// Whether the token must be for a project; every rule that guards an endpoint asks for that, and no other.
    public let isForProjects: Bool
    /// What held before roles and projects were looked at; it still does, beside ``check``, with
    /// `enforce_new_defaults = false`.
    public let former: Former?

    public struct Former: Sendable {
        public let check: String
        /// The OpenStack release that replaced it.
        public let until: String
    }

    init(
        _ rule: PolicyRule,
        _ check: String,
        _ purpose: String,
        isForProjects: Bool = true,
        former: String? = nil,
        until: String = ""
    ) {
        self.rule = rule
        self.check = check
        self.purpose = purpose
        self.isForProjects = isForProjects
        self.former = former.map { Former(check: $0, until: until) }
    }

    /// In the order of ``PolicyRule``.
    public static let all: [PolicyDefault] = base + images + members + administration + metadefs

    /// - Precondition: none: every rule has a default, which a test protects.
    public static func of(_ rule: PolicyRule) -> PolicyDefault {
        guard let found = byRule[rule] else { preconditionFailure("\(rule.rawValue) has no default") }
        return found
    }

    private static let byRule = Dictionary(all.map { ($0.rule, $0) }) { first, _ in first }
}
