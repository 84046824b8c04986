import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// Data that waits on a node. The clock is whatever a test says.
@Suite("Staging table")
struct StagingTableTests {
    private let id = ImageID.numbered(1)
    private let here = "os_glance_staging_store@\(Holder.one.node)"
    private let elsewhere = "os_glance_staging_store@\(Holder.two.node)"

    private func withQueued(_ subject: DatabaseUnderTest, _ body: (RegistryTables) async throws -> Void) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: id, owner: "tenant1"))
            try await body(tables)
        }
    }

    @Test("staged data has a location that no client sees", arguments: DatabaseUnderTest.all)
    func stage(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            let claim = try await tables.beginStaging(id, attempt: "a1", as: .of("tenant1"), at: .start + 1)
            #expect(claim == UploadClaim(leaseSeconds: 60))
            #expect(try await tables.show(id).status == .uploading)
            #expect(try await tables.states(of: ["a1"]) == AttemptStates(finished: [], pending: ["a1"]))

            let staged = try await tables.finishStaging("a1", size: 7, host: "http://n:9292", at: .start + 60)
            #expect(staged.status == .uploading)
            #expect(staged.size == 7)
            #expect(staged.checksum == nil)
            #expect(staged.locations.isEmpty)
            #expect(staged.properties == ["os_glance_stage_host": "http://n:9292"])
            #expect(try await tables.show(id) == staged)
            // The temporary name is to be confirmed, not discarded.
            #expect(try await tables.states(of: ["a1"]) == AttemptStates(finished: ["a1"], pending: []))
            #expect(try await tables.abort("a1"))
            // No lease is left to expire: it may wait for ever.
            #expect(try await tables.reap(at: .start + 1_000_000) == 0)
            #expect(try await tables.show(id) == staged)
        }
    }

    @Test("only a queued image can be staged, by whoever may change it", arguments: DatabaseUnderTest.all)
    func refusals(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            #expect(await refusal { try await tables.beginStaging(id, attempt: "a0", as: .of("other")) } == .notFound)
            try await tables.beginStaging(id, attempt: "a1")
            #expect(await refusal { try await tables.beginStaging(id, attempt: "a2", holder: .two) } == .wrongState)
            #expect(await refusal { try await tables.begin(id, attempt: "a3") } == .wrongState)
            #expect(await refusal { try await tables.finish("a1") } == .leaseLost, "it is no upload")
            try await tables.finishStaging("a1")
            #expect(await refusal { try await tables.finishStaging("a1") } == .leaseLost)
            #expect(await refusal { try await tables.beginStaging(id, attempt: "a4") } == .wrongState)
            #expect(try await tables.count("image_locations") == 1)

            try await tables.createActive(Image(id: .numbered(2)))
            #expect(await refusal { try await tables.beginStaging(.numbered(2), attempt: "a5") } == .wrongState)
        }
    }

    @Test("an attempt that ends gives the image back and leaves its bytes queued", arguments: DatabaseUnderTest.all)
    func ends(_ subject: DatabaseUnderTest) async throws {
        let endings: [@Sendable (RegistryTables) async throws -> Void] = [
            { try await $0.abort("a1", isDiscarded: false) },
            { _ = try await $0.reap(at: .start + 60) },
            { try await $0.release(.one) },
        ]
        for end in endings {
            try await withQueued(subject) { tables in
                try await tables.beginStaging(id, attempt: "a1")
                try await end(tables)
                let image = try await tables.show(id)
                #expect(image.status == .queued)
                #expect(image.size == nil)
                #expect(await refusal { try await tables.finishStaging("a1") } == .leaseLost)
                #expect(
                    try await tables.claim(["", elsewhere], at: .start + 60).isEmpty,
                    "only its node has the bytes"
                )
                let deletions = try await tables.claim([here], holder: .one, at: .start + 60)
                #expect(deletions.map(\.attempt) == ["a1"])
                #expect(deletions.map(\.isUnfinished) == [true])
            }
        }
    }

    @Test("what has to go first is this node's alone", arguments: DatabaseUnderTest.all)
    func settling(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.beginStaging(id, attempt: "a1")
            try await tables.abort("a1", isDiscarded: false)
            let again = try await tables.beginStaging(id, attempt: "a2")
            #expect(again.toSettle.map(\.attempt) == ["a1"])
            #expect(try await tables.show(id).status == .queued)
            // The other node's directory has the same path and none of these bytes.
            #expect(try await tables.beginStaging(id, attempt: "a3", holder: .two).toSettle.isEmpty)
            #expect(try await tables.show(id).status == .uploading)
        }
    }

    @Test("staged data goes with its image", arguments: DatabaseUnderTest.all)
    func deletion(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.beginStaging(id, attempt: "a1")
            try await tables.finishStaging("a1")
            let deletions = try await tables.delete(id)
            #expect(deletions.map(\.store) == [here])
            #expect(deletions.map(\.identity) == ["inode of a1"])
            #expect(deletions.map(\.isUnfinished) == [false])
            try await tables.finishDeletions(deletions)
            #expect(try await tables.count("image_locations") == 0)
        }
    }

    @Test("a record that is given back does not serve what was staged", arguments: DatabaseUnderTest.all)
    func restored(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.createActive(Image(id: id))
            // As an import of another copy leaves it while it runs.
            try await tables.execute(
                """
                INSERT INTO image_locations (image_id, url, metadata, store, state, attempt, unfinished, created_at)
                VALUES (?, 'file:///staging/x', '{}', ?, 'staged', 'a2', 0, 0)
                """,
                [.text(id.text), .text(here)]
            )
            let before = try await tables.show(id)
            #expect(before.locations.count == 1)
            try await tables.delete(id, claimedUntil: .start)
            try await tables.restore(id)
            let image = try await tables.show(id)
            #expect(image.locations == before.locations)
            #expect(try await tables.claim([here], holder: .one, at: .start + 1).map(\.attempt) == ["a2"])
        }
    }
}
