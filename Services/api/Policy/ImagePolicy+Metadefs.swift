public import ImageModel

extension ImagePolicy {
    /// Refuses what `rule` does not allow with a namespace that was found, or with what it holds.
    ///
    /// - Throws: `forbidden`; `notFound` where the caller may not even see the namespace.
    public func require(
        _ rule: PolicyRule,
        on namespace: MetadefNamespace,
        by caller: Caller
    ) throws(ServiceError) {
        try requireMetadefs(
            rule,
            PolicyTarget(namespace: namespace),
            by: caller,
            absence: MetadefNamespace.absence(of: namespace.name)
        )
    }

    /// Refuses what `rule` does not allow with metadata definitions where no namespace is at hand: the caller's project
    /// is what is asked about.
    ///
    /// - Throws: `forbidden`; `notFound` where the caller may not even see namespaces of its own project.
    public func requireMetadefs(_ rule: PolicyRule, by caller: Caller) throws(ServiceError) {
        try requireMetadefs(rule, .project(of: caller), by: caller, absence: "The resource could not be found.")
    }

    /// Metadata definitions, "Policy": a refusal tells that there is something, so who may not see it finds nothing.
    private func requireMetadefs(
        _ rule: PolicyRule,
        _ target: PolicyTarget,
        by caller: Caller,
        absence: String
    ) throws(ServiceError) {
        guard let refusal = try refusal(of: rule, target, by: caller) else { return }
        guard rule != .getMetadefNamespace, try mayDo(.getMetadefNamespace, target, by: caller) else {
            throw ServiceError(.notFound, absence, cause: refusal)
        }
        throw Self.forbidden(rule, refusal.reason)
    }
}
