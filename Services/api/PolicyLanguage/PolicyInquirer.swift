/// Asks other services what rules leave to them (`http:` and `https:` checks).
public protocol PolicyInquirer {
    /// Whether the service at an address allows what `rule` is asked about.
    ///
    /// - Parameters:
    ///   - address: The whole of it, with the values of the target in their places.
    ///   - rule: The rule that was asked first, whichever holds the check.
    /// - Throws: ``PolicyFault`` where it does not say.
    func allows(_ rule: String, at address: String) throws(PolicyFault) -> Bool
}

/// For whoever evaluates rules away from the service: there is no answer to what others decide.
public struct NoInquirer: PolicyInquirer {
    public init() {}

    public func allows(_ rule: String, at address: String) throws(PolicyFault) -> Bool {
        throw PolicyFault("another service decides, and is not asked here")
    }
}
