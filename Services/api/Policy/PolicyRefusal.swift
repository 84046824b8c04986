/// Which rule refused, and why: for the log.
public struct PolicyRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Reason: Sendable, Equatable {
        /// The rule does not hold.
        case denied
        /// The token is for the system or a domain, the rule for callers of a project.
        case scope
        /// The rule has no answer.
        case fault(String)
        /// Another service has to decide, and does not say.
        case unanswered(String)
        /// Beside the former defaults: only the owner and administrators may.
        case ownership
        /// Beside the former defaults: only the member itself and administrators may.
        case membership
    }

    public let rule: String
    public let reason: Reason

    public var description: String {
        switch reason {
        case .denied: "policy rule '\(rule)' does not hold"
        case .scope: "policy rule '\(rule)' is for tokens of a project"
        case .fault(let fault), .unanswered(let fault): "policy rule '\(rule)' has no answer: \(fault)"
        case .ownership: "policy rule '\(rule)' is for the owner and administrators (enforce_new_defaults = false)"
        case .membership: "policy rule '\(rule)' is for the member and administrators (enforce_new_defaults = false)"
        }
    }
}
