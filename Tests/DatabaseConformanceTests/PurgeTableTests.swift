import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// What deletions leave behind, and when it goes for good.
@Suite("Purge table")
struct PurgeTableTests {
    /// Images 1 to 4, deleted one day after another; the data of 3 and 4 could not be deleted.
    private func makeDeleted(_ tables: RegistryTables) async throws {
        for number in 1...4 {
            let image = Image(
                id: .numbered(number),
                visibility: .shared,
                tags: ["a", "b"],
                properties: ["p": "v", "q": "w"]
            )
            try await tables.createActive(image)
            try await tables.share(.numbered(number), with: "tenant1", "pending")
            let deletions = try await tables.delete(.numbered(number), at: .start + Int64(number) * 86_400)
            if number < 3 { try await tables.finishDeletions(deletions) }
        }
        try await tables.create(Image(id: .numbered(9), tags: ["kept"], properties: ["kept": "yes"]))
    }

    private func purge(_ tables: RegistryTables, beforeDay day: Int64, limit: Int64?) async throws -> [Int] {
        let moment = Timestamp.start + day * 86_400
        return try await tables.database.write { connection in
            try PurgeTable.children.map { child in
                try PurgeTable(connection).purge(child, ofImagesDeletedBefore: moment, limit: limit)
            }
        }
    }

    private func purgeImages(_ tables: RegistryTables, beforeDay day: Int64, limit: Int64?) async throws -> Int {
        let moment = Timestamp.start + day * 86_400
        return try await tables.database.write { try PurgeTable($0).purgeImages(deletedBefore: moment, limit: limit) }
    }

    @Test("what hangs on images deleted before then goes, so many rows at a time", arguments: DatabaseUnderTest.all)
    func children(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeDeleted(tables)
            #expect(try await purge(tables, beforeDay: 3, limit: nil) == [0, 0, 0])
            #expect(try await purge(tables, beforeDay: 9, limit: 3) == [3, 3, 2])
            // The oldest first: one row of image 4 is left in each table.
            for table in ["image_properties", "image_tags"] {
                #expect(try await tables.count("\(table) WHERE image_id = ?", [.text(ImageID.numbered(3).text)]) == 0)
            }
            #expect(try await purge(tables, beforeDay: 9, limit: nil) == [1, 1, 0])
            #expect(try await tables.show(.numbered(9)).tags == ["kept"])
            #expect(try await tables.count("images") == 5)
            // Its properties are gone, so it cannot be given back.
            #expect(await refusal { try await tables.restore(.numbered(4)) } == .wrongState)
        }
    }

    @Test("all of it goes in portions, and what went stays gone", arguments: DatabaseUnderTest.all)
    func portions(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeDeleted(tables)
            let purge = Purge(tables.database, portion: 1)
            let moment = Timestamp.start + 9 * 86_400
            // On 3 and 4 there hangs something.
            let error = await #expect(throws: DatabaseError.self) {
                try await purge.images(deletedBefore: moment, limit: nil)
            }
            #expect(error?.code == .foreignKeyViolation)
            #expect(try await tables.count("images WHERE deleted_at IS NOT NULL") == 2)
            let tags = try #require(PurgeTable.children.first { $0.table == "image_tags" })
            #expect(try await purge.rows(of: tags, ofImagesDeletedBefore: moment, limit: 0) == 0)
            #expect(try await purge.rows(of: tags, ofImagesDeletedBefore: moment, limit: 3) == 3)
            #expect(try await purge.rows(of: tags, ofImagesDeletedBefore: moment, limit: nil) == 1)
        }
    }

    @Test(
        "a record goes with its id's protection, but not while something hangs on it",
        arguments: DatabaseUnderTest.all
    )
    func images(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeDeleted(tables)
            #expect(await refusal { try await tables.create(Image(id: .numbered(1))) } == .duplicate)
            #expect(try await purgeImages(tables, beforeDay: 1, limit: nil) == 0)
            #expect(try await purgeImages(tables, beforeDay: 3, limit: 1) == 1)
            #expect(await refusal { try await tables.create(Image(id: .numbered(2))) } == .duplicate)
            try await tables.create(Image(id: .numbered(1)))
            let error = await #expect(throws: DatabaseError.self) {
                try await purgeImages(tables, beforeDay: 9, limit: nil)
            }
            #expect(error?.code == .foreignKeyViolation)
            #expect(try await tables.count("images WHERE deleted_at IS NOT NULL") == 3)
            _ = try await purge(tables, beforeDay: 9, limit: nil)
            // The data still has to go.
            await #expect(throws: DatabaseError.self) { try await purgeImages(tables, beforeDay: 9, limit: nil) }
            try await tables.finishDeletions(try await tables.claim(at: .start + 9 * 86_400))
            #expect(try await purgeImages(tables, beforeDay: 9, limit: nil) == 3)
            #expect(try await tables.count("images") == 2)
        }
    }
}
