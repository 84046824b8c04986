internal import ImageModel
internal import Policy
internal import RegistryContract

/// Shows namespaces of the metadata definitions and what they hold: one exchange each. What the registry does not let the
/// caller see is not found; then policy is asked about the namespace.
struct MetadefReading: Sendable {
    let registry: any RegistryClient
    let policy: ImagePolicy

    /// A namespace with a part of its content.
    ///
    /// - Parameter rules: What the caller must be allowed, in the order in which refusals are told.
    func show(
        _ name: String,
        _ part: MetadefPart = .nothing,
        requiring rules: [PolicyRule],
        as caller: Caller,
        requestID: String
    ) async throws -> MetadefRecord {
        let operation = ShowMetadefs(namespace: name, part: part)
        let record = try await registry.ask(operation, as: caller, requestID: requestID)
        for rule in rules { try policy.require(rule, on: record.namespace, by: caller) }
        return record
    }

    struct Page: Sendable {
        var namespaces: [MetadefRecord]
        /// The namespace after which the next page begins, where there may be one.
        var next: String?
    }

    /// Policy is asked after the page was cut, so a page may be short; then no other follows (Image API v2, "Namespace
    /// list").
    func list(_ query: MetadefNamespaceQuery, as caller: Caller, requestID: String) async throws -> Page {
        try policy.requireMetadefs(.getMetadefNamespaces, by: caller)
        try policy.requireMetadefs(.listMetadefResourceTypes, by: caller)
        let found = try await registry.ask(ListMetadefs(query: query), as: caller, requestID: requestID).namespaces
        let shown = try found.filter { try mayDo(.getMetadefNamespace, on: $0.namespace, caller) }
        let isFull = query.limit > 0 && shown.count == query.limit
        return Page(namespaces: shown, next: isFull ? shown.last?.namespace.name : nil)
    }

    func resourceTypes(as caller: Caller, requestID: String) async throws -> [ResourceType] {
        try policy.requireMetadefs(.listMetadefResourceTypes, by: caller)
        return try await registry.ask(ListResourceTypes(), as: caller, requestID: requestID).types
    }

    /// What a rule about single parts leaves of a list of them; all parts of a namespace stand or fall together.
    func mayDo(_ rule: PolicyRule, on namespace: MetadefNamespace, _ caller: Caller) throws(ServiceError) -> Bool {
        try policy.mayDo(rule, PolicyTarget(namespace: namespace), by: caller)
    }
}
