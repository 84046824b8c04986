import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// Deletions that are put off (`delayed_delete`): who may carry them out when, and how they are taken back.
@Suite("Scrub table")
struct ScrubTableTests {
    private let limits = UsageLimits(storageQuota: 5)

    private func status(_ number: Int, _ tables: RegistryTables) async throws -> String? {
        try await tables.database.read { connection in
            let id = SQLValue.text(ImageID.numbered(number).text)
            return try connection.first("SELECT status FROM images WHERE id = ?", [id]) { $0.text(0) }
        }
    }

    /// An active image of `tenant1` with tags, a property and a member, deleted at ``Timestamp/start`` to be scrubbed 100
    /// seconds later.
    private func makePending(_ number: Int, _ tables: RegistryTables) async throws {
        try await tables.createActive(
            Image(id: .numbered(number), owner: "tenant1", tags: ["a"], properties: ["p": "v"])
        )
        try await tables.share(.numbered(number), with: "tenant2", "accepted")
        #expect(try await tables.delete(.numbered(number), scrubAfter: 100).isEmpty)
    }

    @Test("a deleted image waits out of sight and uncounted, for a scrubber alone", arguments: DatabaseUnderTest.all)
    func pending(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makePending(1, tables)
            #expect(try await status(1, tables) == "pending_delete")
            #expect(await refusal { try await tables.show(.numbered(1)) } == .notFound)
            #expect(try await tables.list(ImageListQuery(limit: 25)).isEmpty)
            let usage = try await tables.usage(of: "tenant1")
            #expect(usage.imageCount == 0 && usage.storedBytes == 0)
            #expect(await refusal { try await tables.create(Image(id: .numbered(1))) } == .duplicate)
            // The API's housekeeping never takes it, however long it waits.
            #expect(try await tables.claim(at: .start + 1_000_000_000).isEmpty)
            #expect(try await tables.scrub(at: .start + 99).deletions.isEmpty)
            let batch = try await tables.scrub(at: .start + 100)
            #expect(batch.deletions.map(\.url) == ["file:///data/\(ImageID.numbered(1))"])
            #expect(batch.deletions.first?.identity == "inode of attempt \(ImageID.numbered(1))")
            try await tables.finishDeletions(batch.deletions)
            #expect(try await status(1, tables) == "deleted")
            for table in ["image_properties", "image_tags", "image_members", "image_locations"] {
                #expect(try await tables.count(table) == 0, "\(table)")
            }
        }
    }

    @Test("only active images with data wait; deactivated ones are refused", arguments: DatabaseUnderTest.all)
    func others(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: .numbered(1)))
            #expect(try await tables.delete(.numbered(1), scrubAfter: 100).isEmpty)
            #expect(try await status(1, tables) == "deleted")

            try await tables.create(Image(id: .numbered(2)))
            try await tables.begin(.numbered(2), attempt: "a2")
            #expect(try await tables.delete(.numbered(2), scrubAfter: 100).map(\.attempt) == ["a2"])
            #expect(try await status(2, tables) == "deleted")

            var image = try await tables.createActive(Image(id: .numbered(3)))
            image.status = .deactivated
            try await tables.update(image)
            #expect(await refusal { try await tables.delete(.numbered(3), scrubAfter: 100) } == .invalid)
            #expect(try await tables.show(.numbered(3)).status == .deactivated)
            #expect(try await tables.delete(.numbered(3)).count == 1)
        }
    }

    @Test("is restored with all that belongs to it, until a scrubber has begun", arguments: DatabaseUnderTest.all)
    func undelete(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makePending(1, tables)
            let restored = try await tables.undelete(.numbered(1), at: .start + 7)
            #expect(restored.status == .active && restored.updatedAt == .start + 7)
            #expect(restored.tags == ["a"] && restored.properties == ["p": "v"] && restored.locations.count == 1)
            #expect(try await tables.members(of: .numbered(1)).map(\.member) == ["tenant2"])
            #expect(try await tables.usage(of: "tenant1").storedBytes == 5)
            #expect(try await tables.scrub(at: .start + 999).deletions.isEmpty)
            #expect(await refusal { try await tables.undelete(.numbered(1)) } == .wrongState)
            #expect(await refusal { try await tables.undelete(.numbered(9)) } == .notFound)

            try await tables.delete(.numbered(1), scrubAfter: 0, at: .start + 8)
            let batch = try await tables.scrub(at: .start + 8)
            #expect(batch.deletions.count == 1)
            #expect(await refusal { try await tables.undelete(.numbered(1)) } == .wrongState)
            try await tables.postponeDeletions(batch.deletions, at: .start + 9)
            #expect(await refusal { try await tables.undelete(.numbered(1)) } == .wrongState)
            try await tables.finishDeletions(batch.deletions)
            #expect(await refusal { try await tables.undelete(.numbered(1)) } == .wrongState)
        }
    }

    @Test("what a scrubber took is its own for a while, and anybody's afterwards", arguments: DatabaseUnderTest.all)
    func taken(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makePending(1, tables)
            #expect(try await tables.scrub(holder: .one, at: .start + 100).deletions.count == 1)
            #expect(try await tables.scrub(at: .start + 101).deletions.isEmpty)
            #expect(try await tables.claim(at: .start + 101).isEmpty)
            // From here on it is a deletion like any other, which the API carries out as well.
            let again = try await tables.claim(at: .start + 160)
            #expect(again.count == 1)
            try await tables.postponeDeletions(again, at: .start + 160)
            #expect(try await tables.claim(at: .start + 161).isEmpty)
            // The pause is the API's.
            #expect(try await tables.scrub(at: .start + 161).deletions.count == 1)
        }
    }

    @Test("batches follow each other until all were looked at once", arguments: DatabaseUnderTest.all)
    func batches(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for number in 1...5 { try await makePending(number, tables) }
            var found: [Int] = []
            var after: Int64? = 0
            while let last = after {
                let batch = try await tables.scrub(after: last, limit: 2, at: .start + 100)
                try await tables.postponeDeletions(batch.deletions, at: .start + 100)
                if batch.last != nil { found.append(batch.deletions.count) }
                after = batch.last
            }
            #expect(found == [2, 2, 1])
            #expect(try await tables.scrub(["other"], at: .start + 200).last == nil)
        }
    }

    @Test("data on the web needs no store, and is forgotten when its time has come", arguments: DatabaseUnderTest.all)
    func web(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var image = try await tables.create(Image(id: .numbered(1)))
            image.status = .active
            image.size = 5
            image.locations = [ImageLocation(url: "http://a")]
            try await tables.relocate(image)
            try await tables.delete(.numbered(1), scrubAfter: 100)
            #expect(try await status(1, tables) == "pending_delete")
            #expect(try await tables.undelete(.numbered(1)).locations.map(\.url) == ["http://a"])
            try await tables.delete(.numbered(1), scrubAfter: 100)
            #expect(try await tables.scrub(at: .start + 99).last == nil)
            let batch = try await tables.scrub(at: .start + 100)
            #expect(batch.deletions.isEmpty && batch.last != nil)
            #expect(try await status(1, tables) == "deleted")
        }
    }

    @Test("what waits is not purged, however long it has", arguments: DatabaseUnderTest.all)
    func purge(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makePending(1, tables)
            let late = Timestamp.start + 1_000_000
            let gone = try await tables.database.write { connection in
                let table = PurgeTable(connection)
                return try PurgeTable.children.map { child in
                    try table.purge(child, ofImagesDeletedBefore: late, limit: nil)
                } + [table.purgeImages(deletedBefore: late, limit: nil)]
            }
            #expect(gone == [0, 0, 0, 0])
            #expect(try await tables.undelete(.numbered(1)).tags == ["a"])
        }
    }
}

extension RegistryTables {
    func scrub(
        _ stores: [String] = [""],
        holder: Holder = .two,
        after: Int64 = 0,
        limit: Int64 = 100,
        at now: Timestamp
    ) async throws -> ScrubBatch {
        let claim = DeletionClaim(holder: holder, stores: stores, limit: limit)
        return try await database.write {
            try LocationTable($0).claimScrubs(claim, after: after, until: now + 60, at: now)
        }
    }

    @discardableResult
    func undelete(_ id: ImageID, at now: Timestamp = .start) async throws -> Image {
        try await database.write { try ImageTable($0).undelete(id, at: now) }
    }
}
