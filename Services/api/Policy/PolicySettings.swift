/// What an operator decides about policy (`[oslo_policy]`).
public struct PolicySettings: Sendable {
    /// Where the file is looked for; the first that is there counts, and none need be.
    public var fileCandidates: [String] = []
    /// Where each directory of further files is looked for.
    public var directoryCandidates: [[String]] = []
    /// The rule that answers for names that are not defined.
    public var defaultRule = "default"
    /// Whether what held before the present defaults no longer does.
    public var enforcesNewDefaults = true
    /// Whether tokens that are not for a project are refused by rules that want one.
    public var enforcesScope = true
    /// Rules that are asked by name from outside of the policy files. A policy that lacks one is not taken over.
    public var namedRules: [NamedRule] = []

    /// A rule, and who asks it.
    public struct NamedRule: Sendable, Equatable {
        var name: String
        /// File, line and section.
        var place: String
    }

    public init() {}
}
