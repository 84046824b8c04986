import ImageModel
import RegistryContract
import RegistryDatabase
import Testing
import WireJSON

@Suite("Changes of metadata definitions")
struct MetadefChangeTests {
    private static let property = MetadefTableTests.property("new", "new")
    private static let object = MetadefTableTests.object("new")

    private func withNamespace(
        _ subject: DatabaseUnderTest,
        protected: Bool = false,
        _ body: (RegistryTables) async throws -> Void
    ) async throws {
        try await subject.withTables { tables in
            try await tables.createMetadefs(
                MetadefNamespace(name: "n", protected: protected),
                MetadefTableTests.content
            )
            try await body(tables)
        }
    }

    @Test("properties are added, replaced under another name, and removed", arguments: DatabaseUnderTest.all)
    func properties(_ subject: DatabaseUnderTest) async throws {
        try await withNamespace(subject) { tables in
            func names() async throws -> [String] {
                try await tables.showMetadefs("n", .properties).content.properties.map(\.name)
            }
            try await tables.change("n", .addProperty(Self.property))
            #expect(try await names() == ["z", "a", "new"])
            #expect(await refusal { try await tables.change("n", .addProperty(Self.property)) } == .duplicate)
            let renamed = MetadefTableTests.property("renamed")
            try await tables.change("n", .replaceProperty("z", renamed))
            #expect(try await names() == ["renamed", "a", "new"])
            let collision = await refusal { try await tables.change("n", .replaceProperty("a", Self.property)) }
            #expect(collision == .duplicate)
            #expect(await refusal { try await tables.change("n", .replaceProperty("z", renamed)) } == .notFound)
            try await tables.change("n", .replaceProperty("a", MetadefTableTests.property("a", "other")))
            #expect(try await tables.showMetadefs("n", .properties).content.properties[1].definition.title == "other")
            try await tables.change("n", .removeProperty("a"))
            #expect(await refusal { try await tables.change("n", .removeProperty("a")) } == .notFound)
            #expect(try await names() == ["renamed", "new"])
            try await tables.change("n", .removeAll(.properties))
            #expect(try await names() == [])
        }
    }

    @Test("objects are added, replaced under another name, and removed", arguments: DatabaseUnderTest.all)
    func objects(_ subject: DatabaseUnderTest) async throws {
        try await withNamespace(subject) { tables in
            let added = try await tables.change("n", .addObject(Self.object), at: .start + 1)
            #expect(added.objects.first?.createdAt == .start + 1)
            #expect(added.objects.first?.properties == Self.object.properties)
            #expect(await refusal { try await tables.change("n", .addObject(Self.object)) } == .duplicate)
            var renamed = Self.object
            renamed.name = "renamed"
            renamed.required = []
            let answer = try await tables.change("n", .replaceObject("o1", renamed), at: .start + 9)
            #expect(answer.objects.first?.updatedAt == .start)
            let stored = try await tables.showMetadefs("n", .object("renamed")).content.objects.first
            #expect(stored?.createdAt == .start)
            #expect(stored?.updatedAt == .start + 9)
            #expect(stored?.required == [])
            #expect(await refusal { try await tables.change("n", .replaceObject("o2", renamed)) } == .duplicate)
            #expect(await refusal { try await tables.change("n", .replaceObject("o1", renamed)) } == .notFound)
            try await tables.change("n", .removeObject("renamed"))
            #expect(await refusal { try await tables.change("n", .removeObject("renamed")) } == .notFound)
            try await tables.change("n", .removeAll(.objects))
            #expect(try await tables.showMetadefs("n", .objects).content.objects.isEmpty)
        }
    }

    @Test("tags come all or none, and take the place of others only when they may", arguments: DatabaseUnderTest.all)
    func tags(_ subject: DatabaseUnderTest) async throws {
        try await withNamespace(subject) { tables in
            func names(_ query: MetadefTagQuery = MetadefTagQuery(sortKey: .id, direction: .ascending)) async throws
                -> [String]
            {
                try await tables.showMetadefs("n", .tags(query)).content.tags.map(\.name)
            }
            try await tables.change("n", .addTags(["c", "b"], keepsOthers: true), at: .start + 1)
            #expect(try await names() == ["t2", "T2", "t1", "c", "b"])
            for doubled in [["x", "b"], ["x", "x"]] {
                let code = await refusal { try await tables.change("n", .addTags(doubled, keepsOthers: true)) }
                #expect(code == .duplicate)
            }
            let doubled = await refusal { try await tables.change("n", .addTags(["x", "x"], keepsOthers: false)) }
            #expect(doubled == .duplicate)
            #expect(try await names() == ["t2", "T2", "t1", "c", "b"])
            #expect(try await names(MetadefTagQuery()) == ["b", "c", "t1", "T2", "t2"])
            let byName = MetadefTagQuery(limit: 2, marker: "T2", sortKey: .name, direction: .ascending)
            #expect(try await names(byName) == ["b", "c"])
            #expect(try await names(MetadefTagQuery(limit: 2, marker: "c")) == ["t1", "T2"])
            #expect(try await names(MetadefTagQuery(limit: 0)) == [])
            #expect(await refusal { try await names(MetadefTagQuery(marker: "none")) } == .notFound)
            let renamed = try await tables.change("n", .renameTag("c", to: "d"), at: .start + 9)
            #expect(renamed.tags == [MetadefTag(name: "d", createdAt: .start + 1, updatedAt: .start + 9)])
            #expect(await refusal { try await tables.change("n", .renameTag("d", to: "b")) } == .duplicate)
            #expect(await refusal { try await tables.change("n", .renameTag("c", to: "e")) } == .notFound)
            try await tables.change("n", .renameTag("d", to: "d"))
            try await tables.change("n", .removeTag("d"))
            #expect(await refusal { try await tables.change("n", .removeTag("d")) } == .notFound)
            try await tables.change("n", .addTags(["t1", "only"], keepsOthers: false))
            #expect(try await names() == ["t1", "only"])
            try await tables.change("n", .removeAll(.tags))
            #expect(try await names() == [])
        }
    }

    @Test("an association makes its resource type, which outlives it", arguments: DatabaseUnderTest.all)
    func associations(_ subject: DatabaseUnderTest) async throws {
        try await withNamespace(subject) { tables in
            let association = ResourceTypeAssociation(name: "New", prefix: "n_")
            let added = try await tables.change("n", .associate(association), at: .start + 1)
            #expect(added.associations.map(\.prefix) == ["n_"])
            #expect(added.associations.first?.createdAt == .start + 1)
            #expect(await refusal { try await tables.change("n", .associate(association)) } == .duplicate)
            try await tables.change("n", .dissociate("New"))
            #expect(await refusal { try await tables.change("n", .dissociate("New")) } == .notFound)
            #expect(await refusal { try await tables.change("n", .dissociate("None")) } == .notFound)
            let types = try await tables.database.read { try ResourceTypeTable($0).list().map(\.name) }
            #expect(types == ["Z", "A", "New"])
        }
    }

    @Test("what is protected is not removed, and what is not there is told of first", arguments: DatabaseUnderTest.all)
    func protection(_ subject: DatabaseUnderTest) async throws {
        try await withNamespace(subject, protected: true) { tables in
            for change in [
                MetadefChange.removeProperty("a"), .removeObject("o1"), .removeTag("t1"), .dissociate("A"),
                .removeAll(.objects), .removeAll(.properties), .removeAll(.tags),
            ] {
                #expect(await refusal { try await tables.change("n", change) } == .forbidden, "\(change)")
            }
            for change in [
                MetadefChange.removeProperty("-"), .removeObject("-"), .removeTag("-"), .dissociate("-"),
            ] {
                #expect(await refusal { try await tables.change("n", change) } == .notFound, "\(change)")
            }
            try await tables.change("n", .addProperty(Self.property))
            try await tables.change("n", .renameTag("t1", to: "t0"))
        }
    }

    @Test("no number of parts takes more statements", arguments: DatabaseUnderTest.all)
    func statements(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            func content(_ objects: Int, _ properties: Int) -> MetadefContent {
                MetadefContent(
                    associations: [ResourceTypeAssociation(name: "A", prefix: "a_")],
                    properties: (0..<properties).map { MetadefTableTests.property("p\($0)") },
                    objects: (0..<objects).map { MetadefTableTests.object("o\($0)") },
                    tags: (0..<objects).map { MetadefTag(name: "t\($0)") }
                )
            }
            func count(_ body: @escaping @Sendable (MetadefTable) throws -> Void) async throws -> Int {
                try await tables.database.write { connection in
                    let recording = RecordingConnection(connection)
                    try body(MetadefTable(recording))
                    return recording.statements.count
                }
            }
            for (name, objects, properties) in [("small", 1, 1), ("large", 50, 500)] {
                let record = MetadefRecord(
                    namespace: MetadefNamespace(name: name, visibility: .public),
                    content: content(objects, properties)
                )
                #expect(try await count { _ = try $0.create(record, at: .start) } == 6)
                #expect(try await count { _ = try $0.show(name, .everything, visibleTo: .of("p")) } == 5)
                let shown = try await tables.showMetadefs(name).content
                #expect(shown.objects.count == objects)
                #expect(shown.properties.count == properties)
                #expect(try await count { _ = try $0.list(MetadefNamespaceQuery(limit: 100), visibleTo: .admin) } == 1)
                let marked = MetadefNamespaceQuery(limit: 100, marker: name)
                #expect(try await count { _ = try $0.list(marked, visibleTo: .admin) } == 3)
                let names = (0..<objects).map { "more\($0)" }
                let change = ChangeMetadefs(namespace: name, revision: 1, change: .addTags(names, keepsOthers: false))
                #expect(try await count { _ = try $0.change(change, as: .admin, at: .start) } == 3)
                let removal = DeleteMetadefs(namespace: name, revision: 1)
                #expect(try await count { try $0.delete(removal, as: .admin) } == 6)
            }
        }
    }
}
