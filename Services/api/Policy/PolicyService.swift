internal import ImageModel
public import PolicyLanguage
public import WireJSON

/// Other services that rules leave decisions to (oslo.policy, "Policy rule expressions", `http:` and `https:`).
public protocol PolicyService: Sendable {
    /// Whether the service allows it. Blocks until it answers, for a bounded time.
    ///
    /// - Throws: ``PolicyFault`` where it does not say.
    func allows(_ question: PolicyQuestion) throws(PolicyFault) -> Bool
}

/// What another service is told.
public struct PolicyQuestion: Sendable, Equatable {
    public var address: String
    public var rule: String
    /// What the rule is asked about, by the names that rules know.
    public var target: JSONObject
    /// Who asks, by the names of the policy credentials.
    public var credentials: JSONObject
    /// Whose questions count together: the caller's project, or the caller where it has none. The service is not told.
    public var asker = ""
}

/// One caller's question about one target.
struct PolicyServiceInquiry: PolicyInquirer {
    let service: (any PolicyService)?
    let target: PolicyTarget
    let caller: Caller

    func allows(_ rule: String, at address: String) throws(PolicyFault) -> Bool {
        guard let service else { return try NoInquirer().allows(rule, at: address) }
        return try service.allows(
            PolicyQuestion(
                address: address,
                rule: rule,
                target: target.json,
                credentials: CallerCredentials(caller).json,
                asker: caller.project ?? caller.user ?? ""
            )
        )
    }
}
