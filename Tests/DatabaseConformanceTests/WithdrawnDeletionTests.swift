import ImageModel
import RegistryContract
import RegistryDatabase
import Testing
import WireJSON

/// Deletions that a store refuses for good.
@Suite("Withdrawn deletions")
struct WithdrawnDeletionTests {
    private func states(_ deletions: [PendingDeletion], _ tables: RegistryTables) async throws -> [String] {
        let ids = deletions.map(\.id)
        return try await tables.database.read { connection in
            try ids.flatMap { id in
                try connection.query("SELECT state FROM image_locations WHERE id = ?", [.integer(id)], { $0.text(0) })
            }
        }
    }

    /// An image with data of ours and on the web, of which the first is about to be deleted.
    private func letGo(
        _ number: Int,
        _ tables: RegistryTables
    ) async throws -> (before: Image, after: Image, deletions: [PendingDeletion]) {
        var image = try await tables.createActive(Image(id: .numbered(number)))
        image.locations.append(ImageLocation(url: "http://a", metadata: [:]))
        image = try await tables.relocate(image).image
        let before = image
        image.locations.removeFirst()
        let relocated = try await tables.relocate(image)
        #expect(relocated.deletions.count == 1)
        return (before, relocated.image, relocated.deletions)
    }

    @Test("a refused deletion gives the location back, where it was", arguments: DatabaseUnderTest.all)
    func withdraw(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let (before, after, deletions) = try await letGo(1, tables)
            for _ in 0..<2 { try await tables.withdrawDeletions(deletions, at: .start + 7) }
            let image = try await tables.show(.numbered(1))
            #expect(image.locations == before.locations)
            #expect(image.revision == after.revision + 1)
            #expect(image.updatedAt == .start + 7)
            #expect(try await tables.claim(at: .start + 9_999).isEmpty)
        }
    }

    @Test("nothing is given back to an image that is gone", arguments: DatabaseUnderTest.all)
    func withdrawFromDeleted(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let (_, after, deletions) = try await letGo(1, tables)
            #expect(after.locations.count == 1)
            try await tables.delete(.numbered(1), claimedUntil: .start)
            try await tables.withdrawDeletions(deletions)
            #expect(try await states(deletions, tables) == ["deleting"])
        }
    }

    @Test("the bytes of an attempt that came to nothing are nobody's", arguments: DatabaseUnderTest.all)
    func withdrawUnfinished(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: .numbered(1)))
            try await tables.begin(.numbered(1), attempt: "a1")
            try await tables.abort("a1")
            let deletions = try await tables.claim(at: .start)
            #expect(deletions.count == 1)
            try await tables.withdrawDeletions(deletions)
            #expect(try await states(deletions, tables) == ["deleting"])
        }
    }
}
