import ImageModel
import RegistryContract
import RegistryDatabase
import Testing
import WireJSON

extension RegistryTables {
    @discardableResult
    func createMetadefs(
        _ namespace: MetadefNamespace,
        _ content: MetadefContent = MetadefContent(),
        at now: Timestamp = .start
    ) async throws -> MetadefRecord {
        let record = MetadefRecord(namespace: namespace, content: content)
        return try await database.write { try MetadefTable($0).create(record, at: now) }
    }

    func showMetadefs(
        _ name: String,
        _ part: MetadefPart = .everything,
        as caller: Caller = .admin
    ) async throws -> MetadefRecord {
        try await database.read { try MetadefTable($0).show(name, part, visibleTo: caller) }
    }

    func listMetadefs(_ query: MetadefNamespaceQuery, as caller: Caller = .admin) async throws -> [String] {
        try await database.read { try MetadefTable($0).list(query, visibleTo: caller).map(\.namespace.name) }
    }

    /// The revision of a new namespace, unless another one is named.
    @discardableResult
    func change(
        _ name: String,
        _ change: MetadefChange,
        revision: Int64 = 1,
        as caller: Caller = .admin,
        at now: Timestamp = .start
    ) async throws -> MetadefContent {
        let operation = ChangeMetadefs(namespace: name, revision: revision, change: change)
        return try await database.write { try MetadefTable($0).change(operation, as: caller, at: now).content }
    }

    func update(_ current: String, to namespace: MetadefNamespace, at now: Timestamp = .start) async throws
        -> MetadefNamespace
    {
        let operation = UpdateMetadefs(current: current, namespace: namespace)
        return try await database.write { try MetadefTable($0).update(operation, as: .admin, at: now).namespace }
    }

    func deleteMetadefs(_ name: String, revision: Int64 = 1, as caller: Caller = .admin) async throws {
        let operation = DeleteMetadefs(namespace: name, revision: revision)
        try await database.write { try MetadefTable($0).delete(operation, as: caller) }
    }
}

@Suite("Metadata definitions in the database")
struct MetadefTableTests {
    static func property(_ name: String, _ title: String = "t") -> MetadefProperty {
        MetadefProperty(name: name, definition: MetadefDefinition(["title": .string(title), "type": "string"]))
    }

    static func object(_ name: String) -> MetadefObject {
        MetadefObject(name: name, description: "d \"é\"", required: ["a"], properties: [property("a"), property("b")])
    }

    static let content = MetadefContent(
        associations: [
            ResourceTypeAssociation(name: "Z", prefix: "z_", propertiesTarget: "image"),
            ResourceTypeAssociation(name: "A"),
        ],
        properties: [property("z"), property("a", "it's \\ \u{1} é")],
        objects: [object("o2"), object("o1")],
        tags: [MetadefTag(name: "t2"), MetadefTag(name: "T2"), MetadefTag(name: "t1")]
    )

    @Test("what is created is read back, in its order", arguments: DatabaseUnderTest.all)
    func roundTrip(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let namespace = MetadefNamespace(
                name: "Acme::Disk",
                displayName: "é",
                description: "d",
                visibility: .public,
                protected: true,
                owner: "p"
            )
            let created = try await tables.createMetadefs(namespace, Self.content)
            #expect(created.namespace.revision == 1)
            #expect(created.namespace.createdAt == .start)
            #expect(try await tables.showMetadefs("Acme::Disk") == created)
            #expect(created.content.properties == Self.content.properties)
            let listed = try await tables.database.read {
                try MetadefTable($0).list(MetadefNamespaceQuery(limit: 5), visibleTo: .admin)
            }
            #expect(listed.map(\.namespace) == [created.namespace])
            #expect(listed.first?.content == MetadefContent(associations: created.content.associations))
            let bare = try await tables.createMetadefs(MetadefNamespace(name: "bare"))
            #expect(try await tables.showMetadefs("bare") == bare)
            #expect(try await tables.count("metadef_resource_types WHERE protected = 0") == 2)
        }
    }

    @Test("a part that is asked for is all that is read", arguments: DatabaseUnderTest.all)
    func parts(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let all = try await tables.createMetadefs(MetadefNamespace(name: "n"), Self.content).content
            func part(_ part: MetadefPart) async throws -> MetadefContent {
                try await tables.showMetadefs("n", part).content
            }
            #expect(try await part(.nothing) == MetadefContent())
            #expect(try await part(.associations) == MetadefContent(associations: all.associations))
            #expect(try await part(.properties) == MetadefContent(properties: all.properties))
            #expect(try await part(.objects) == MetadefContent(objects: all.objects))
            #expect(try await part(.object("o1")) == MetadefContent(objects: [all.objects[1]]))
            #expect(try await part(.object("O1")) == MetadefContent())
            #expect(try await part(.tag("T2")) == MetadefContent(tags: [all.tags[1]]))
            #expect(
                try await part(.property("a", resourceType: nil)) == MetadefContent(properties: [all.properties[1]])
            )
            let withType = MetadefContent(associations: [all.associations[0]], properties: [all.properties[1]])
            #expect(try await part(.property("z_a", resourceType: "Z")) == withType)
            let unprefixed = MetadefContent(associations: [all.associations[0]])
            #expect(try await part(.property("a", resourceType: "Z")) == unprefixed)
            #expect(try await part(.property("z_none", resourceType: "Z")) == unprefixed)
            let prefixless = MetadefContent(associations: [all.associations[1]])
            #expect(try await part(.property("a", resourceType: "A")) == prefixless)
            #expect(try await part(.property("a", resourceType: "none")) == MetadefContent())
        }
    }

    @Test("a name is unique, also where it is not seen, and parts of one name are refused whole")
    func duplicates() async throws {
        for subject in DatabaseUnderTest.all {
            try await subject.withTables { tables in
                try await tables.createMetadefs(MetadefNamespace(name: "n", owner: "other"))
                let again = await refusal { try await tables.createMetadefs(MetadefNamespace(name: "n")) }
                #expect(again == .duplicate)
                for content in [
                    MetadefContent(associations: [.init(name: "A"), .init(name: "A")]),
                    MetadefContent(properties: [Self.property("a"), Self.property("a")]),
                    MetadefContent(objects: [Self.object("a"), Self.object("a")]),
                    MetadefContent(tags: [MetadefTag(name: "a"), MetadefTag(name: "b"), MetadefTag(name: "a")]),
                ] {
                    let code = await refusal { try await tables.createMetadefs(MetadefNamespace(name: "m"), content) }
                    #expect(code == .duplicate)
                }
                #expect(try await tables.count("metadef_namespaces") == 1)
                #expect(try await tables.count("metadef_resource_types") == 0)
            }
        }
    }

    static let callers: [(caller: Caller, listed: [String], opened: [String])] = [
        (.admin, ["mine", "nobody's", "open", "theirs"], ["mine", "nobody's", "open", "theirs"]),
        (.of("me"), ["mine", "open"], ["mine", "nobody's", "open"]),
        (.of("else"), ["open"], ["nobody's", "open"]),
        (.of(nil), ["open"], ["nobody's", "open"]),
    ]

    @Test("a list shows less than a name opens", arguments: DatabaseUnderTest.all)
    func visibility(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let namespaces = [
                MetadefNamespace(name: "mine", owner: "me"), MetadefNamespace(name: "nobody's"),
                MetadefNamespace(name: "open", visibility: .public, owner: "them"),
                MetadefNamespace(name: "theirs", owner: "them"),
            ]
            for namespace in namespaces { try await tables.createMetadefs(namespace) }
            for (caller, listed, opened) in Self.callers {
                let query = MetadefNamespaceQuery(limit: 10, sortKey: .namespace, direction: .ascending)
                #expect(try await tables.listMetadefs(query, as: caller) == listed)
                for namespace in namespaces {
                    let code = await refusal { try await tables.showMetadefs(namespace.name, .nothing, as: caller) }
                    #expect(code == (opened.contains(namespace.name) ? nil : .notFound))
                    let written = await refusal {
                        try await tables.change(namespace.name, .addTags([], keepsOthers: true), as: caller)
                    }
                    #expect(written == code)
                }
            }
        }
    }

    @Test("every order can be paged through, one by one", arguments: DatabaseUnderTest.all)
    func paging(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for number in 0..<12 {
                let namespace = MetadefNamespace(
                    name: ["é", "Z", "a", "~"][number % 4] + "\(number)",
                    displayName: number % 3 == 0 ? nil : "d\(number % 5)",
                    visibility: number % 2 == 0 ? .public : .private,
                    protected: number % 5 == 0,
                    owner: number % 4 == 0 ? nil : "p\(number % 2)"
                )
                try await tables.createMetadefs(namespace, at: .start + Int64(number / 4))
            }
            for key in MetadefNamespaceQuery.SortKey.allCases {
                var whole: [[String]] = []
                for direction in [ImageSort.Direction.ascending, .descending] {
                    var query = MetadefNamespaceQuery(limit: 100, sortKey: key, direction: direction)
                    let all = try await tables.listMetadefs(query)
                    #expect(Set(all).count == 12)
                    query.limit = 1
                    var seen: [String] = []
                    while let next = try await tables.listMetadefs(query).first, seen.count < 20 {
                        seen.append(next)
                        query.marker = next
                    }
                    #expect(seen == all, "\(key) \(direction)")
                    whole.append(all)
                }
                #expect(whole[0] == whole[1].reversed(), "\(key)")
            }
            let byName = MetadefNamespaceQuery(limit: 100, sortKey: .namespace, direction: .ascending)
            let names = try await tables.listMetadefs(byName)
            #expect(names == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
            let lost = await refusal { try await tables.listMetadefs(MetadefNamespaceQuery(limit: 1, marker: "none")) }
            #expect(lost == .notFound)
            #expect(try await tables.listMetadefs(MetadefNamespaceQuery(limit: 0)).isEmpty)
            #expect(try await tables.listMetadefs(MetadefNamespaceQuery(limit: 100, visibility: .public)).count == 6)
        }
    }

    @Test("namespaces are found by any of their resource types", arguments: DatabaseUnderTest.all)
    func resourceTypes(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for (name, types) in [("ab", ["A", "B"]), ("b", ["B"]), ("none", [])] {
                let content = MetadefContent(associations: types.map { ResourceTypeAssociation(name: $0) })
                try await tables.createMetadefs(MetadefNamespace(name: name), content)
            }
            for (types, found) in [
                (["A"], ["ab"]), (["B", "A", "X"], ["ab", "b"]), (["X"], []), ([], []), (["a"], []),
            ] {
                let query = MetadefNamespaceQuery(
                    limit: 9,
                    sortKey: .namespace,
                    direction: .ascending,
                    resourceTypes: types
                )
                #expect(try await tables.listMetadefs(query) == found, "\(types)")
            }
            let types = try await tables.database.read { try ResourceTypeTable($0).list() }
            #expect(types.map(\.name) == ["A", "B"])
            #expect(types.allSatisfy { !$0.protected })
        }
    }

    @Test("a change is decided on one revision, and tells of what was there", arguments: DatabaseUnderTest.all)
    func update(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.createMetadefs(MetadefNamespace(name: "n", owner: "p"), Self.content)
            try await tables.createMetadefs(MetadefNamespace(name: "taken"))
            var namespace = MetadefNamespace(
                name: "renamed",
                displayName: "d",
                protected: true,
                owner: "q",
                revision: 1
            )
            let updated = try await tables.update("n", to: namespace, at: .start + 5)
            #expect(updated.revision == 2)
            #expect(updated.createdAt == .start)
            #expect(updated.updatedAt == .start + 5)
            #expect(try await tables.showMetadefs("renamed", .nothing).namespace == updated)
            #expect(try await tables.showMetadefs("renamed").content.properties == Self.content.properties)
            #expect(await refusal { try await tables.showMetadefs("n", .nothing) } == .notFound)
            #expect(await refusal { try await tables.update("renamed", to: namespace) } == .changedMeanwhile)
            namespace.revision = 2
            namespace.name = "taken"
            #expect(await refusal { try await tables.update("renamed", to: namespace) } == .duplicate)
            #expect(await refusal { try await tables.deleteMetadefs("renamed") } == .changedMeanwhile)
            #expect(await refusal { try await tables.deleteMetadefs("renamed", revision: 2) } == .forbidden)
            let late = await refusal { try await tables.change("renamed", .removeAll(.tags), revision: 1) }
            #expect(late == .changedMeanwhile)
            try await tables.deleteMetadefs("taken")
            #expect(try await tables.count("metadef_namespaces") == 1)
        }
    }

    @Test("deleting a namespace leaves nothing of it but the resource types", arguments: DatabaseUnderTest.all)
    func deletion(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.createMetadefs(MetadefNamespace(name: "n"), Self.content)
            try await tables.createMetadefs(MetadefNamespace(name: "kept"), Self.content)
            try await tables.deleteMetadefs("n")
            for (table, count) in [
                ("properties", 2), ("objects", 2), ("tags", 3), ("associations", 2), ("resource_types", 2),
            ] {
                #expect(try await tables.count("metadef_\(table)") == Int64(count), "\(table)")
            }
        }
    }

    @Test("definitions are found by the names that resources have", arguments: DatabaseUnderTest.all)
    func definitions(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let content = MetadefContent(
                associations: [ResourceTypeAssociation(name: "T", prefix: "t_"), ResourceTypeAssociation(name: "U")],
                properties: [Self.property("a"), Self.property("b")],
                objects: [Self.object("o"), MetadefObject(name: "p", properties: [Self.property("c")])]
            )
            try await tables.createMetadefs(MetadefNamespace(name: "one", visibility: .public), content)
            try await tables.createMetadefs(MetadefNamespace(name: "two", owner: "me"), content)
            try await tables.createMetadefs(MetadefNamespace(name: "none", visibility: .public))
            func find(_ names: [String], _ type: String, _ caller: Caller = .admin) async throws -> [String] {
                try await tables.database.read { connection in
                    let recording = RecordingConnection(connection)
                    let found = try MetadefTable(recording).definitions(of: names, on: type, visibleTo: caller)
                    #expect(recording.statements.count <= 3)
                    return found.map { record in
                        let objects = record.content.objects.map { "\($0.name):\($0.properties.map(\.name))" }
                        return "\(record.namespace.name) \(record.content.properties.map(\.name)) \(objects)"
                    }
                }
            }
            let whole = #"["b"] ["o:[\"b\"]"]"#
            #expect(try await find(["t_b", "x"], "T") == ["one \(whole)", "two \(whole)"])
            #expect(try await find(["b"], "U", .of("else")) == ["one \(whole)"])
            #expect(try await find(["b"], "U", .of("me")) == ["one \(whole)", "two \(whole)"])
            #expect(try await find(["c"], "U", .of(nil)) == [#"one [] ["p:[\"c\"]"]"#])
            #expect(try await find(["b"], "T") == [])
            #expect(try await find([], "T") == [])
            #expect(try await find(["b"], "V") == [])
        }
    }
}
