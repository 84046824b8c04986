import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// Members' lists by a tag follow the image: whose it is, who may see it and what tags it has, whatever changed these.
@Suite("Audiences of tags")
struct TagAudienceTests {
    private static let id = ImageID.numbered(1)
    private static let callers = ["tenant1", "tenant2", "tenant3"]

    /// Something that happens to the image, and which of the projects then find it by the tag.
    private struct Change: Sendable {
        var name: String
        var finders: [String]
        /// In lists that show everything that the caller may see.
        var findersOfAll: [String]
        var apply: @Sendable (RegistryTables) async throws -> Void

        init(
            _ name: String,
            _ finders: [String],
            ofAll: [String]? = nil,
            _ apply: @escaping @Sendable (RegistryTables) async throws -> Void
        ) {
            (self.name, self.finders, findersOfAll, self.apply) = (name, finders, ofAll ?? finders, apply)
        }

        /// What a client changes.
        init(
            updating name: String,
            _ finders: [String],
            ofAll: [String]? = nil,
            _ edit: @escaping @Sendable (inout Image) -> Void
        ) {
            self.init(name, finders, ofAll: ofAll) { tables in
                var image = try await tables.show(TagAudienceTests.id)
                edit(&image)
                try await tables.update(image)
            }
        }
    }

    private static let changes: [Change] = [
        Change("created private", ["tenant1"]) { tables in
            try await tables.createActive(Image(id: id, visibility: .private, owner: "tenant1", tags: ["x", "other"]))
        },
        Change(updating: "public", callers) { $0.visibility = .public },
        Change(updating: "community", ["tenant1"], ofAll: callers) { $0.visibility = .community },
        Change(updating: "given away", ["tenant2"], ofAll: callers) { $0.owner = "tenant2" },
        Change(updating: "shared", ["tenant2"]) { $0.visibility = .shared },
        Change("with a member", ["tenant2", "tenant3"]) { try await $0.share(id, with: "tenant3", "accepted") },
        Change(updating: "without the tag", []) { $0.tags = ["other"] },
        Change(updating: "with other tags, another owner and public at once", callers) { image in
            (image.tags, image.owner, image.visibility) = (["new", "x"], "tenant1", .public)
        },
        Change(updating: "nobody's", callers) { $0.owner = nil },
        Change(updating: "nobody's, and private", []) { $0.visibility = .private },
        Change(updating: "somebody's again", ["tenant3"]) { $0.owner = "tenant3" },
        Change("deleted", []) { try await $0.delete(id) },
        Change("given back", ["tenant3"]) { try await $0.restore(id) },
        Change("deleted, and to be scrubbed", []) { try await $0.delete(id, scrubAfter: 60) },
        Change("changed while it waits for that", []) { tables in
            try await tables.execute(
                "UPDATE images SET owner = 'tenant2', visibility = 'public' WHERE id = ?",
                [.text(id.text)]
            )
        },
        Change("undeleted", callers) { try await $0.undelete(id) },
        Change("tagged by a registry of the release before", callers) { tables in
            try await tables.execute("DELETE FROM image_tags WHERE image_id = ?", [.text(id.text)])
            try await tables.execute(
                "INSERT INTO image_tags (image_id, value, position, image_created_at) SELECT id, 'x', 0, created_at FROM images"
            )
        },
    ]

    /// Tags that have another visibility or owner than their image, as a table.
    static let stale = """
        image_tags t JOIN images i ON i.id = t.image_id
        WHERE (COALESCE(t.visibility, '-') <> i.visibility OR COALESCE(t.owner, '-') <> COALESCE(i.owner, '-'))
        """

    @Test("lists by a tag show an image to whom its record does", arguments: DatabaseUnderTest.all)
    func changes(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for change in Self.changes {
                try await change.apply(tables)
                for visibility in [VisibilityFilter.unspecified, .all] {
                    let query = ImageListQuery(limit: 25, filters: [.tag("x")], visibility: visibility)
                    var finders: [String] = []
                    for project in Self.callers {
                        let found = try await tables.list(query, as: .of(project)).map(\.id)
                        #expect(found.count <= 1 && found.allSatisfy { $0 == Self.id })
                        if !found.isEmpty { finders.append(project) }
                    }
                    let expected = visibility == .all ? change.findersOfAll : change.finders
                    #expect(finders == expected, "\(change.name), \(visibility)")
                }
                #expect(try await tables.count(Self.stale) == 0, "\(change.name)")
            }
        }
    }

    @Test("what is wrong in a tag's copy shows nobody what is not theirs to see", arguments: DatabaseUnderTest.all)
    func wrongCopies(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: Self.id, visibility: .private, owner: "tenant1", tags: ["x"]))
            for (column, value) in [("owner", "tenant2"), ("visibility", "public"), ("visibility", "community")] {
                try await tables.execute("UPDATE image_tags SET \(column) = ?", [.text(value)])
                for visibility in [VisibilityFilter.unspecified, .all] + Visibility.allCases.map({ .only($0) }) {
                    let query = ImageListQuery(limit: 25, filters: [.tag("x")], visibility: visibility)
                    let found = try await tables.list(query, as: .of("tenant2"))
                    #expect(found.isEmpty, "\(column) \(value), \(visibility)")
                }
            }
        }
    }
}
