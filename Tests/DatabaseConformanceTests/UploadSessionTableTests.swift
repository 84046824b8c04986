import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// Uploads that come in parts. The clock is whatever a test says.
@Suite("Upload session table")
struct UploadSessionTableTests {
    private let id = ImageID.numbered(1)

    private func withQueued(_ subject: DatabaseUnderTest, _ body: (RegistryTables) async throws -> Void) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: id, owner: "tenant1"))
            try await body(tables)
        }
    }

    @Test(
        "a session claims its image, keeps what came, and is finished like an upload",
        arguments: DatabaseUnderTest.all
    )
    func life(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            let owner = Caller.of("tenant1")
            let claim = try await tables.beginSession(
                id,
                attempt: "a1",
                byteCount: 30,
                metadata: "filename eA==",
                digests: ["sha256": "11", "md5": "00"],
                as: owner
            )
            #expect(claim == UploadClaim(leaseSeconds: 3600))
            var session = try await tables.session("a1", of: id, as: owner, at: .start + 10)
            #expect(session.image.status == .saving)
            #expect(session.node == Holder.one.node && session.store == nil && session.url == "file:///data/\(id)")
            #expect(session.terms.metadata == "filename eA==" && !session.terms.isParallel)
            #expect(session.terms.digests == ["sha256": "11", "md5": "00"])
            #expect(session.parts == [0..<30] && session.received.isEmpty && !session.isFinished)
            #expect(session.lease == SessionLease(leaseSeconds: 3590, expiresAt: .start + 3600))

            let lease = try await tables.record([0..<10, 20..<30], of: "a1", at: .start + 3599)
            #expect(lease == SessionLease(leaseSeconds: 3600, expiresAt: .start + 7199))
            // Its image's other times of life are past: what came prolonged it.
            #expect(try await tables.reap(at: .start + 7198) == 0)
            session = try await tables.session("a1", of: id, at: .start + 7198)
            #expect(session.received == [0..<10, 20..<30])

            let image = try await tables.finish("a1", size: 30, at: .start + 7198)
            #expect(image.status == .active && image.size == 30)
            session = try await tables.session("a1", of: id, at: .start + 7198)
            #expect(session.isFinished)
            #expect(await refusal { try await tables.record([0..<30], of: "a1", at: .start + 7198) } == .leaseLost)
            // Whoever did not hear of the end has until the session's own.
            #expect(await refusal { try await tables.session("a1", of: id, at: .start + 7199) } == .notFound)
            try await tables.database.write { connection in
                let sessions = UploadSessionTable(connection)
                #expect(try !sessions.hasFinishedLongAgo(at: .start + 7198))
                #expect(try sessions.hasFinishedLongAgo(at: .start + 7199))
                try sessions.forgetFinished(at: .start + 7199)
            }
            #expect(try await tables.count("upload_sessions") == 0)
            #expect(try await tables.show(id) == image)
        }
    }

    @Test("an image has one session or upload at a time, of whoever may change it", arguments: DatabaseUnderTest.all)
    func refusals(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            #expect(await refusal { try await tables.beginSession(id, attempt: "a0", as: .of("other")) } == .notFound)
            try await tables.beginSession(id, attempt: "a1")
            #expect(await refusal { try await tables.beginSession(id, attempt: "a2") } == .wrongState)
            #expect(await refusal { try await tables.begin(id, attempt: "a3") } == .wrongState)
            #expect(await refusal { try await tables.beginStaging(id, attempt: "a4") } == .wrongState)
            #expect(await refusal { try await tables.session("a2", of: id) } == .notFound)
            #expect(await refusal { try await tables.session("a1", of: .numbered(2)) } == .notFound)
            #expect(await refusal { try await tables.session("a1", of: id, as: .of("other")) } == .notFound)
            #expect(await refusal { try await tables.record([], of: "a1", holder: .two) } == .leaseLost)
            #expect(try await tables.count("upload_sessions") == 1)
        }
    }

    @Test("who may see the image and not change it sees no session", arguments: DatabaseUnderTest.all)
    func visibility(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: id, visibility: .public, owner: "tenant1"))
            try await tables.beginSession(id, attempt: "a1", isParallel: true)
            #expect(await refusal { try await tables.session("a1", of: id, as: .of("other")) } == .notFound)
            #expect(await refusal { try await tables.extendSession(id, byteCount: 1, as: .of("other")) } == .forbidden)
            try await tables.session("a1", of: id, as: .of("tenant1"))
        }
    }

    @Test("parts lie one behind the other, in the order in which they were asked for", arguments: DatabaseUnderTest.all)
    func parts(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            #expect(await refusal { try await tables.extendSession(id, byteCount: 1) } == .wrongState)
            try await tables.beginSession(id, attempt: "a1", byteCount: 10, isParallel: true)
            try await tables.record([3..<5], of: "a1", at: .start + 1)
            let session = try await tables.extendSession(id, byteCount: 5, at: .start + 60)
            #expect(session.attempt == "a1" && session.parts == [0..<10, 10..<15] && session.received == [3..<5])
            #expect(session.lease.expiresAt == .start + 3660)
            #expect(try await tables.session("a1", of: id, at: .start + 60) == session)
            #expect(await refusal { try await tables.extendSession(id, byteCount: 1, holder: .two) } == .wrongState)
            #expect(await refusal { try await tables.extendSession(id, byteCount: .max) } == .limitExceeded)
            #expect(await refusal { try await tables.extendSession(id, byteCount: 6, limit: 20) } == .limitExceeded)
            #expect(try await tables.extendSession(id, byteCount: 5, limit: 20, at: .start + 60).byteCount == 20)
            #expect(
                await refusal { try await tables.extendSession(id, byteCount: 1, at: .start + 3660) } == .wrongState
            )
            let full = (0..<UploadSessionTable.maximumPartCount).map { Int64($0)..<Int64($0) + 1 }
            try await tables.execute("UPDATE upload_sessions SET parts = ?", [.text(RangeList.text(full))])
            #expect(await refusal { try await tables.extendSession(id, byteCount: 1) } == .limitExceeded)
        }
        try await withQueued(subject) { tables in
            try await tables.beginSession(id, attempt: "a1")
            #expect(await refusal { try await tables.extendSession(id, byteCount: 1) } == .wrongState, "not parallel")
        }
    }

    @Test("what is published is all that a session will ever have", arguments: DatabaseUnderTest.all)
    func closing(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.beginSession(id, attempt: "a1", byteCount: 10, isParallel: true)
            try await tables.record([0..<10], of: "a1")
            #expect(await refusal { try await tables.finish("a1", size: 10) } == .wrongState, "others may follow")
            // Somebody looked at the session before this part was added, and goes on after.
            try await tables.extendSession(id, byteCount: 5)
            #expect(await refusal { try await tables.record([0..<10], of: "a1", closing: 10) } == .wrongState)
            #expect(await refusal { try await tables.record([0..<10], of: "a1", closing: 15) } == .wrongState)
            #expect(await refusal { try await tables.record([0..<9, 10..<15], of: "a1", closing: 15) } == .wrongState)
            try await tables.extendSession(id, byteCount: 5)
            try await tables.record([0..<20], of: "a1", closing: 20, at: .start + 1)
            #expect(await refusal { try await tables.extendSession(id, byteCount: 5, at: .start + 1) } == .wrongState)
            #expect(try await tables.session("a1", of: id).parts.last == 15..<20)
            // An answer may have been lost.
            try await tables.record([0..<20], of: "a1", closing: 20, at: .start + 2)
            #expect(await refusal { try await tables.finish("a1", size: 15) } == .wrongState)
            #expect(try await tables.show(id).status == .saving)
            #expect(try await tables.finish("a1", size: 20).status == .active)
        }
        try await withQueued(subject) { tables in
            try await tables.beginSession(id, attempt: "a1", byteCount: 10)
            #expect(await refusal { try await tables.finish("a1", size: 9) } == .wrongState)
            try await tables.finish("a1", size: 10)
        }
    }

    @Test("whatever is said of the data's digests is kept, and not contradicted", arguments: DatabaseUnderTest.all)
    func digests(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.beginSession(id, attempt: "a1", isParallel: true, digests: ["md5": "00"])
            try await tables.extendSession(id, byteCount: 5, digests: ["md5": "00", "sha1": "11"])
            #expect(
                await refusal { try await tables.extendSession(id, byteCount: 5, digests: ["sha1": "12"]) } == .invalid
            )
            try await tables.record([0..<15], of: "a1", digests: ["sha256": "22"])
            #expect(await refusal { try await tables.record([0..<15], of: "a1", digests: ["md5": "01"]) } == .invalid)
            let session = try await tables.session("a1", of: id)
            #expect(session.terms.digests == ["md5": "00", "sha1": "11", "sha256": "22"])
            #expect(session.parts.count == 2)
            try await tables.record([0..<15], of: "a1", closing: 15)
            let compared = session.terms.digests.merging(["sha512": "33"]) { one, _ in one }
            try await tables.finish("a1", size: 15, digests: compared)
            #expect(try await tables.session("a1", of: id).terms.digests == compared)
        }
    }

    @Test("a session takes room for all of its parts until it ends", arguments: DatabaseUnderTest.all)
    func quota(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            let limits = UsageLimits(storageQuota: 12)
            try await tables.create(Image(id: .numbered(2), owner: "tenant1"))
            try await tables.beginSession(id, attempt: "a1", byteCount: 10, isParallel: true, within: limits)
            #expect(await refusal { try await tables.extendSession(id, byteCount: 3) } == .limitExceeded)
            try await tables.extendSession(id, byteCount: 2)
            let other = { @Sendable in
                try await tables.beginSession(.numbered(2), attempt: "a2", byteCount: 1, within: limits)
            }
            #expect(await refusal(other) == .limitExceeded)
            #expect(try await tables.session("a1", of: id).parts == [0..<10, 10..<12])
            try await tables.abort("a1")
            _ = try await other()
        }
    }

    @Test("a session that ends gives its image back and leaves its bytes queued", arguments: DatabaseUnderTest.all)
    func ends(_ subject: DatabaseUnderTest) async throws {
        let endings: [@Sendable (RegistryTables) async throws -> Void] = [
            { try await $0.abort("a1") },
            { _ = try await $0.reap(at: .start + 3600) },
        ]
        for end in endings {
            try await withQueued(subject) { tables in
                try await tables.beginSession(id, attempt: "a1")
                try await tables.record([0..<3], of: "a1")
                try await end(tables)
                #expect(try await tables.show(id).status == .queued)
                #expect(await refusal { try await tables.session("a1", of: id) } == .notFound)
                #expect(await refusal { try await tables.record([], of: "a1") } == .leaseLost)
                #expect(await refusal { try await tables.finish("a1") } == .leaseLost)
                #expect(try await tables.count("upload_sessions") == 0)
                // The next one is told what has to go first.
                let settle = try await tables.beginSession(id, attempt: "a2").toSettle
                #expect(settle.map(\.attempt) == ["a1"] && settle.allSatisfy(\.isUnfinished))
                #expect(try await tables.count("upload_sessions") == 0)
                try await tables.finishDeletions(settle)
                #expect(try await tables.beginSession(id, attempt: "a2").leaseSeconds == 3600)
            }
        }
    }

    @Test("a deleted image's session is over at once, under way or finished", arguments: DatabaseUnderTest.all)
    func deletion(_ subject: DatabaseUnderTest) async throws {
        for isFinished in [false, true] {
            try await withQueued(subject) { tables in
                try await tables.beginSession(id, attempt: "a1")
                if isFinished { try await tables.finish("a1", size: 10) }
                let deletions = try await tables.delete(id)
                #expect(deletions.map(\.attempt) == ["a1"] && deletions.map(\.isUnfinished) == [!isFinished])
                #expect(try await tables.count("upload_sessions") == 0)
                #expect(await refusal { try await tables.record([], of: "a1") } == .leaseLost)
                try await tables.finishDeletions(deletions)
                let purged = try await tables.database.write {
                    try PurgeTable($0).purgeImages(deletedBefore: .start + 1, limit: nil)
                }
                #expect(purged == 1)
            }
        }
    }

    @Test("a node that starts again goes on with its sessions", arguments: DatabaseUnderTest.all)
    func restart(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.create(Image(id: .numbered(2)))
            try await tables.begin(.numbered(2), attempt: "u1")
            try await tables.beginSession(id, attempt: "a1")
            let again = Holder(node: Holder.one.node, process: "1b")
            #expect(try await tables.processes(besides: again) == [Holder.one.process])
            try await tables.release(.one)
            #expect(try await tables.processes(besides: again) == [])
            #expect(try await tables.show(.numbered(2)).status == .queued)
            #expect(try await tables.session("a1", of: id).image.status == .saving)
            try await tables.record([0..<10], of: "a1", holder: again)
            try await tables.finish("a1", size: 10)
        }
    }
}
