import ImageModel
import Testing
import WireJSON

@testable import ImageAPI

@Suite("Documents of metadata definitions")
struct MetadefDocumentTests {
    static let created = Timestamp(seconds: 1_700_000_000)
    static let updated = Timestamp(seconds: 1_700_000_001)

    static let property = MetadefProperty(
        name: "disk_class",
        definition: MetadefDefinition(["title": "Disk class", "type": "string", "enum": ["gold", "tin"], "default": 1])
    )
    static let object = MetadefObject(
        name: "limits",
        required: ["disk_class"],
        properties: [property],
        createdAt: created,
        updatedAt: updated
    )
    static let association = ResourceTypeAssociation(
        name: "OS::Glance::Image",
        prefix: "acme_",
        createdAt: created,
        updatedAt: updated
    )
    static let namespace = MetadefNamespace(
        name: "Acme::Disk",
        visibility: .public,
        owner: "p1",
        createdAt: created,
        updatedAt: updated,
        revision: 3
    )

    private static let propertyText =
        #"{"title":"Disk class","type":"string","enum":["gold","tin"],"default":"1"}"#
    private static let objectText =
        #"{"name":"limits","required":["disk_class"],"properties":{"disk_class":\#(propertyText)},"#
        + #""self":"/v2/metadefs/namespaces/Acme::Disk/objects/limits","schema":"/v2/schemas/metadefs/object","#
        + #""created_at":"2023-11-14T22:13:20Z","updated_at":"2023-11-14T22:13:21Z"}"#
    private static let fields =
        #""namespace":"Acme::Disk","visibility":"public","protected":false,"owner":"p1","#
        + #""self":"/v2/metadefs/namespaces/Acme::Disk","schema":"/v2/schemas/metadefs/namespace","#
        + #""created_at":"2023-11-14T22:13:20Z","updated_at":"2023-11-14T22:13:21Z""#
    private static let times = #""created_at":"2023-11-14T22:13:20Z","updated_at":"2023-11-14T22:13:21Z""#

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("a namespace without content shows none, and nothing that is null")
    func namespaceAlone() {
        let record = MetadefRecord(namespace: Self.namespace)
        #expect(text(MetadefDocument.bytes(record)) == "{\(Self.fields)}")
    }

    @Test("a namespace shows all that it holds")
    func namespaceWithContent() {
        var namespace = Self.namespace
        namespace.displayName = "Disk"
        namespace.description = "d"
        let record = MetadefRecord(
            namespace: namespace,
            content: MetadefContent(
                associations: [Self.association],
                properties: [Self.property],
                objects: [Self.object],
                tags: [MetadefTag(name: "storage")]
            )
        )
        let fields = Self.fields.split(separator: ",", maxSplits: 1)
        let start = "{\(fields[0]),\"display_name\":\"Disk\",\"description\":\"d\",\(fields[1])"
        let content =
            #""properties":{"disk_class":\#(Self.propertyText)},"objects":[\#(Self.objectText)],"tags":[{"name":"storage"}]}"#
        let association = #"{"name":"OS::Glance::Image","prefix":"acme_""#
        #expect(
            text(MetadefDocument.bytes(record))
                == #"\#(start),"resource_type_associations":[\#(association),\#(Self.times)}],\#(content)"#
        )
        #expect(
            text(MetadefDocument.bytes(record, echoes: true))
                == #"\#(start),"resource_type_associations":[\#(association)}],\#(content)"#
        )
    }

    @Test("a page has its links")
    func page() {
        let links = PageLinks(of: MetadefDocument.namespaces, parameters: [("limit", "1"), ("marker", "old")])
        let bytes = MetadefDocument.bytes(
            page: [MetadefRecord(namespace: Self.namespace)],
            links: links,
            next: "a b::c"
        )
        #expect(
            text(bytes)
                == #"{"namespaces":[{\#(Self.fields)}],"first":"/v2/metadefs/namespaces?limit=1","#
                + #""next":"/v2/metadefs/namespaces?limit=1&marker=a+b%3A%3Ac","schema":"/v2/schemas/metadefs/namespaces"}"#
        )
    }

    @Test("parts are these documents, alone and in lists")
    func parts() {
        #expect(text(MetadefDocument.bytes(Self.property)) == #"{"name":"disk_class","# + Self.propertyText.dropFirst())
        #expect(
            text(MetadefDocument.bytes(list: [Self.property]))
                == #"{"properties":{"disk_class":\#(Self.propertyText)}}"#
        )
        #expect(text(MetadefDocument.bytes(Self.object, of: "Acme::Disk")) == Self.objectText)
        #expect(
            text(MetadefDocument.bytes(list: [Self.object], of: "Acme::Disk"))
                == #"{"objects":[\#(Self.objectText)],"schema":"v2/schemas/metadefs/objects"}"#
        )
        let tag = MetadefTag(name: "t", createdAt: Self.created, updatedAt: Self.updated)
        #expect(text(MetadefDocument.bytes(tag)) == #"{"name":"t",\#(Self.times)}"#)
        #expect(text(MetadefDocument.bytes(list: [tag])) == #"{"tags":[{"name":"t"}]}"#)
        let association = #"{"name":"OS::Glance::Image","prefix":"acme_",\#(Self.times)}"#
        #expect(text(MetadefDocument.bytes(Self.association)) == association)
        #expect(
            text(MetadefDocument.bytes(list: [Self.association]))
                == #"{"resource_type_associations":[\#(association)]}"#
        )
        let type = ResourceType(name: "T", protected: true, createdAt: Self.created, updatedAt: Self.updated)
        #expect(text(MetadefDocument.bytes(types: [type])) == #"{"resource_types":[{"name":"T",\#(Self.times)}]}"#)
    }

    @Test("a location is fit for a header, whatever the name")
    func location() {
        #expect(MetadefDocument.location(of: "Acme::Disk") == "/v2/metadefs/namespaces/Acme::Disk")
        #expect(MetadefDocument.location(of: "a b\n+é") == "/v2/metadefs/namespaces/a%20b%0A%2B%C3%A9")
    }
}
