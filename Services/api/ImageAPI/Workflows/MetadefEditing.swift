internal import ImageModel
internal import Policy
internal import RegistryContract

/// Changes the catalogue of metadata definitions. A creation is one exchange. A change is two: read the namespace,
/// decide, and write while the namespace is the one that was read; who was overtaken decides anew.
struct MetadefEditing: Sendable {
    let registry: any RegistryClient
    let policy: ImagePolicy
    let reading: MetadefReading

    init(registry: any RegistryClient, policy: ImagePolicy) {
        self.registry = registry
        self.policy = policy
        reading = MetadefReading(registry: registry, policy: policy)
    }

    /// A namespace with all that the draft gives it, or nothing.
    func create(_ draft: MetadefNamespaceDraft, as caller: Caller, requestID: String) async throws -> MetadefRecord {
        try policy.requireWritable(caller)
        try policy.requireMetadefs(.addMetadefNamespace, by: caller)
        let content = draft.content
        let parts: [(isThere: Bool, rule: PolicyRule)] = [
            (!content.associations.isEmpty, .addMetadefResourceTypeAssociation),
            (!content.objects.isEmpty, .addMetadefObject), (!content.tags.isEmpty, .addMetadefTag),
            (!content.properties.isEmpty, .addMetadefProperty),
        ]
        for part in parts where part.isThere { try policy.requireMetadefs(part.rule, by: caller) }
        let record = MetadefRecord(namespace: draft.namespace(ownedBy: caller.project), content: content)
        return try await registry.ask(CreateMetadefs(record: record), as: caller, requestID: requestID)
    }

    /// Puts the draft's own fields in the place of a namespace's; what it holds stays, whatever the draft says of it.
    ///
    /// - Returns: The namespace with the time of its change before this one, as the reference answers.
    func replace(
        _ name: String,
        with draft: MetadefNamespaceDraft,
        as caller: Caller,
        requestID: String
    ) async throws -> MetadefNamespace {
        try await decide(on: name, requiring: [.modifyMetadefNamespace], as: caller, requestID: requestID) { current in
            var namespace = draft.namespace(ownedBy: caller.project)
            namespace.revision = current.revision
            let operation = UpdateMetadefs(current: name, namespace: namespace)
            var updated = try await registry.call(operation, as: caller, requestID: requestID).namespace
            updated.updatedAt = current.updatedAt
            return updated
        }
    }

    func delete(_ name: String, as caller: Caller, requestID: String) async throws {
        try await decide(on: name, requiring: [.deleteMetadefNamespace], as: caller, requestID: requestID) { current in
            let operation = DeleteMetadefs(namespace: name, revision: current.revision)
            _ = try await registry.call(operation, as: caller, requestID: requestID)
        }
    }

    /// - Parameter rules: What the caller must be allowed, in the order in which refusals are told.
    @discardableResult
    func apply(
        _ change: MetadefChange,
        to name: String,
        requiring rules: [PolicyRule],
        as caller: Caller,
        requestID: String
    ) async throws -> MetadefRecord {
        try await decide(on: name, requiring: rules, as: caller, requestID: requestID) { current in
            // No tags take nobody's place (Image API v2, "Bulk create").
            if case .addTags([], _) = change { return MetadefRecord(namespace: current) }
            let operation = ChangeMetadefs(namespace: name, revision: current.revision, change: change)
            return try await registry.call(operation, as: caller, requestID: requestID)
        }
    }

    /// Runs `write` again when the namespace was changed between its reading and the writing.
    private func decide<Answer>(
        on name: String,
        requiring rules: [PolicyRule],
        as caller: Caller,
        requestID: String,
        _ write: (MetadefNamespace) async throws -> Answer
    ) async throws -> Answer {
        try await Deciding.anew {
            try await write(reading.show(name, requiring: rules, as: caller, requestID: requestID).namespace)
        }
    }
}
