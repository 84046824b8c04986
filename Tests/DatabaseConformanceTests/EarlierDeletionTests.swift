import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// What an image had let go of before it was deleted is none of what it is given back with, or waits for.
@Suite("Earlier deletions")
struct EarlierDeletionTests {
    private let id = ImageID.numbered(1)

    /// An active image with two copies, of which the second is about to be deleted.
    private func letGo(_ tables: RegistryTables) async throws -> (image: Image, deletions: [PendingDeletion]) {
        try await tables.createActive(Image(id: id, owner: "tenant1", tags: ["a"]))
        try await tables.addCopy(of: id)
        var image = try await tables.show(id)
        image.locations.removeLast()
        let relocated = try await tables.relocate(image)
        #expect(relocated.deletions.map(\.url) == ["file:///copy/\(id)"])
        return (relocated.image, relocated.deletions)
    }

    @Test("carried out, they keep nobody from restoring an image that waits", arguments: DatabaseUnderTest.all)
    func undelete(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let (image, deletions) = try await letGo(tables)
            try await tables.delete(id, scrubAfter: 100)
            // As long as one is queued, however often it was tried.
            #expect(try await tables.undelete(id).locations == image.locations)
            try await tables.delete(id, scrubAfter: 100)
            try await tables.postponeDeletions(deletions, at: .start)
            #expect(try await tables.scrub(at: .start + 99).deletions == deletions)
            #expect(try await tables.undelete(id).locations == image.locations)
            try await tables.delete(id, scrubAfter: 100)
            // And once it is done.
            try await tables.finishDeletions(deletions)
            let restored = try await tables.undelete(id)
            #expect(restored.locations == image.locations && restored.tags == ["a"])
            #expect(try await tables.usage(of: "tenant1") == (try await PlainUsage.of("tenant1", tables)))
        }
    }

    @Test("a refused deletion gives back what was there when it was asked for", arguments: DatabaseUnderTest.all)
    func restore(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let (image, deletions) = try await letGo(tables)
            for _ in 0..<2 {
                #expect(try await tables.delete(id).map(\.url) == image.locations.map(\.url))
                try await tables.restore(id)
                #expect(try await tables.show(id).locations == image.locations)
            }
            #expect(try await tables.usage(of: "tenant1").storedBytes == 5)
            // The earlier one goes on.
            #expect(try await tables.claim(at: .start + 60) == deletions)
            try await tables.delete(id)
            try await tables.finishDeletions(deletions)
            try await tables.restore(id)
            #expect(try await tables.show(id).locations == image.locations)
            try await tables.finishDeletions(try await tables.delete(id))
            #expect(try await tables.count("image_locations") == 0)
        }
    }

    @Test(
        "one that its store refuses gives back a copy, which then is like any other",
        arguments: DatabaseUnderTest.all
    )
    func withdraw(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let (_, deletions) = try await letGo(tables)
            // Marked by a deletion that was taken back meanwhile.
            try await tables.delete(id)
            try await tables.restore(id)
            try await tables.withdrawDeletions(deletions)
            let image = try await tables.show(id)
            #expect(image.locations.count == 2)
            #expect(try await tables.delete(id).count == 2)
            try await tables.restore(id)
            try await tables.delete(id, scrubAfter: 100)
            #expect(try await tables.undelete(id).locations == image.locations)
        }
    }

    @Test(
        "an image that has nothing else in our stores is gone at once, and they go on",
        arguments: DatabaseUnderTest.all
    )
    func web(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var image = try await letGo(tables).image
            image.locations = [ImageLocation(url: "http://a")]
            try await tables.relocate(image)
            #expect(try await tables.delete(id).isEmpty)
            #expect(await refusal { try await tables.show(id) } == .notFound)
            #expect(await refusal { try await tables.restore(id) } == .wrongState)
            let queued = try await tables.claim(at: .start + 60)
            #expect(queued.count == 2)
            try await tables.finishDeletions(queued)
            for table in ["image_tags", "image_locations"] { #expect(try await tables.count(table) == 0, "\(table)") }
        }
    }

    @Test("a late report of a failure hurries nobody who waits for a scrubber", arguments: DatabaseUnderTest.all)
    func latePostponement(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.createActive(Image(id: id))
            let deletions = try await tables.delete(id)
            try await tables.restore(id)
            try await tables.delete(id, scrubAfter: 100_000)
            try await tables.postponeDeletions(deletions, at: .start)
            #expect(try await tables.claim(at: .start + 99_999).isEmpty)
            try await tables.undelete(id)
        }
    }

    @Test("what the release before let go of and gave back is told apart too", arguments: DatabaseUnderTest.all)
    func olderRegistry(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.createActive(Image(id: id))
            try await tables.addCopy(of: id)
            // It lets go of a copy and says nothing of it.
            try await tables.execute("UPDATE image_locations SET state = 'deleting' WHERE url LIKE 'file:///copy/%'")
            let image = try await tables.show(id)
            try await tables.delete(id)
            try await tables.restore(id)
            #expect(try await tables.show(id).locations == image.locations)
            // It gives everything back, marked or not.
            try await tables.delete(id)
            try await tables.execute(
                "UPDATE images SET status = 'active', status_before_deletion = NULL, deleted_at = NULL"
            )
            try await tables.execute("UPDATE image_locations SET state = 'live'")
            let both = try await tables.show(id)
            #expect(try await tables.delete(id).count == 2)
            try await tables.restore(id)
            #expect(try await tables.show(id).locations == both.locations)
        }
    }
}
