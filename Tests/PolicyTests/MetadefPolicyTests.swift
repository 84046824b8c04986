import ImageModel
import Policy
import Testing

@Suite("Policy of metadata definitions")
struct MetadefPolicyTests {
    let policy = ImagePolicy()

    static let reads: [PolicyRule] = [
        .getMetadefNamespace, .getMetadefObjects, .getMetadefObject, .getMetadefProperties, .getMetadefProperty,
        .listMetadefResourceTypes, .getMetadefResourceType, .getMetadefTags, .getMetadefTag,
    ]
    static let writes: [PolicyRule] = [
        .addMetadefNamespace, .modifyMetadefNamespace, .deleteMetadefNamespace, .addMetadefObject,
        .modifyMetadefObject, .deleteMetadefObject, .addMetadefProperty, .modifyMetadefProperty,
        .removeMetadefProperty, .addMetadefResourceTypeAssociation, .removeMetadefResourceTypeAssociation,
        .addMetadefTags, .addMetadefTag, .modifyMetadefTag, .deleteMetadefTag, .deleteMetadefTags,
    ]

    /// What becomes of a call: it passes, it is forbidden, or there is nothing.
    private func outcome(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "passes"
        } catch {
            return (error as? ServiceError)?.code.rawValue ?? "\(error)"
        }
    }

    private func namespace(_ visibility: MetadefNamespace.Visibility) -> MetadefNamespace {
        MetadefNamespace(name: "n", visibility: visibility, owner: owner)
    }

    @Test("readers see their own and the public namespaces, others nothing", arguments: reads)
    func reading(_ rule: PolicyRule) {
        for (somebody, own, open) in [
            (caller(owner, "reader"), "passes", "passes"), (caller(stranger, "reader"), "notFound", "passes"),
            (caller(owner), "notFound", "notFound"), (.anonymous, "notFound", "notFound"),
            (caller(stranger, "admin"), "passes", "passes"),
        ] {
            #expect(outcome { try policy.require(rule, on: namespace(.private), by: somebody) } == own)
            #expect(outcome { try policy.require(rule, on: namespace(.public), by: somebody) } == open)
        }
    }

    @Test("only administrators write; who may see the namespace is told so", arguments: writes)
    func writing(_ rule: PolicyRule) {
        for (somebody, own, open) in [
            (caller(owner, "reader", "member"), "forbidden", "forbidden"),
            (caller(stranger, "reader", "member"), "notFound", "forbidden"), (.anonymous, "notFound", "notFound"),
            (caller(stranger, "admin"), "passes", "passes"),
        ] {
            #expect(outcome { try policy.require(rule, on: namespace(.private), by: somebody) } == own)
            #expect(outcome { try policy.require(rule, on: namespace(.public), by: somebody) } == open)
        }
    }

    @Test("without a namespace it is the caller's project that is asked about")
    func withoutNamespace() {
        let reader = caller(owner, "reader")
        #expect(outcome { try policy.requireMetadefs(.getMetadefNamespaces, by: reader) } == "passes")
        #expect(outcome { try policy.requireMetadefs(.listMetadefResourceTypes, by: reader) } == "passes")
        #expect(outcome { try policy.requireMetadefs(.addMetadefNamespace, by: reader) } == "forbidden")
        #expect(outcome { try policy.requireMetadefs(.getMetadefNamespaces, by: caller(owner)) } == "notFound")
        #expect(outcome { try policy.requireMetadefs(.addMetadefNamespace, by: .anonymous) } == "notFound")
    }
}
