import ImageModel
import RegistryContract
import WireJSON

extension WireSample {
    private static let created = Timestamp(microseconds: 1_700_000_000_123_456)
    private static let updated = Timestamp(microseconds: 1_700_000_000_654_321)

    private static let property = MetadefProperty(
        name: "p é",
        definition: MetadefDefinition(["title": "T", "type": "integer", "enum": [1, 2], "default": 1, "minimum": 0])
    )

    private static let object = MetadefObject(
        name: "o",
        description: "d",
        required: ["p é"],
        properties: [property],
        createdAt: created,
        updatedAt: updated
    )

    private static let association = ResourceTypeAssociation(
        name: "OS::Glance::Image",
        prefix: "x_",
        propertiesTarget: "image",
        createdAt: created,
        updatedAt: updated
    )

    static let metadefs = MetadefRecord(
        namespace: MetadefNamespace(
            name: "Acme::Disk",
            displayName: "Disk",
            description: "d",
            visibility: .public,
            protected: true,
            owner: "p1",
            createdAt: created,
            updatedAt: updated,
            revision: 9
        ),
        content: MetadefContent(
            associations: [association],
            properties: [property],
            objects: [object],
            tags: [MetadefTag(name: "t", createdAt: created, updatedAt: updated)]
        )
    )

    static let namespaceQuery = MetadefNamespaceQuery(
        limit: 5,
        marker: "m",
        sortKey: .displayName,
        direction: .ascending,
        visibility: .public,
        resourceTypes: ["A", "B"]
    )

    /// One of each kind of change, and of each part that can be read.
    static let metadefParts: [WireSample] =
        [
            .addProperty(property), .replaceProperty("old", property), .removeProperty("p"), .addObject(object),
            .replaceObject("old", object), .removeObject("o"), .addTags(["a", "b"], keepsOthers: false),
            .renameTag("a", to: "b"), .removeTag("a"), .associate(association), .dissociate("OS::Glance::Image"),
            .removeAll(.objects), .removeAll(.properties), .removeAll(.tags),
        ].map { (change: MetadefChange) in WireSample(change) }
        + [
            .nothing, .everything, .associations, .properties, .property("p", resourceType: nil),
            .property("p", resourceType: "OS::Glance::Image"), .objects, .object("o"), .tag("t"),
            .tags(MetadefTagQuery()),
            .tags(MetadefTagQuery(limit: 5, marker: "m", sortKey: .name, direction: .ascending)),
        ].map { (part: MetadefPart) in WireSample(part) }
}
