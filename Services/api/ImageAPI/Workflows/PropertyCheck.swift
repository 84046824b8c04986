internal import ImageModel
internal import Policy
internal import RegistryContract

/// Holds properties of images against the catalogue of metadata definitions, as far as the caller may see it: one
/// exchange, and none where nothing is to be checked.
struct PropertyCheck: Sendable {
    let registry: any RegistryClient
    let policy: ImagePolicy
    /// What creation and PATCH are held to.
    let mode: PropertyCheckMode
    /// Properties that the operator declared: they are known without a definition.
    let declared: Set<String>

    private static let resourceType = "OS::Glance::Image"

    func problems(
        in properties: [String: String?],
        as caller: Caller,
        requestID: String
    ) async throws -> [PropertyProblem] {
        let checked = properties.filter { !Self.isExempt($0.key) }
        guard !checked.isEmpty else { return [] }
        let operation = FindDefinitions(resourceType: Self.resourceType, names: checked.keys.sorted())
        let found = try await registry.ask(operation, as: caller, requestID: requestID).namespaces
        let shown = try found.filter { record in
            let target = PolicyTarget(namespace: record.namespace)
            return try policy.mayDo(.getMetadefNamespace, target, by: caller)
                && policy.mayDo(.getMetadefProperties, target, by: caller)
        }
        return PropertyCatalogue(shown, of: Self.resourceType).problems(in: checked)
            .filter { $0.kind == .invalid || !declared.contains($0.property) }
    }

    /// What the service keeps for itself, and what clients note for themselves, as `openstack` does.
    private static func isExempt(_ name: String) -> Bool {
        name.hasPrefix("os_glance_") || name.hasPrefix("owner_specified.")
    }

    /// Refuses properties that a creation or a change brings along. Those that an image has already are left alone, so
    /// that it can be changed at all when the catalogue does not fit it.
    ///
    /// - Throws: `invalidRequest` naming the first property that is wrong.
    func require(
        _ properties: [String: String?],
        before: [String: String?] = [:],
        as caller: Caller,
        requestID: String
    ) async throws {
        guard mode != .off else { return }
        let brought = properties.filter { name, value in before[name] != .some(value) }
        let problems = try await problems(in: brought, as: caller, requestID: requestID)
        guard let problem = problems.first(where: { mode == .all || $0.kind == .invalid }) else { return }
        throw ServiceError(
            .invalidRequest,
            "The property '\(problem.property.excerpt)' \(problem.sentence) (metadata definitions)."
        )
    }
}
