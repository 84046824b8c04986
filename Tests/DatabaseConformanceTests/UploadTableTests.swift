import ImageModel
import RegistryContract
import RegistryDatabase
import Testing
import WireJSON

/// Attempts at uploading and their leases of 60 seconds. The clock is whatever a test says.
@Suite("Upload table")
struct UploadTableTests {
    private let id = ImageID.numbered(1)
    private let url = "file:///data/\(ImageID.numbered(1))"

    private func withQueued(_ subject: DatabaseUnderTest, _ body: (RegistryTables) async throws -> Void) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: id, owner: "tenant1", properties: ["kept": "yes"]))
            try await body(tables)
        }
    }

    // MARK: From beginning to end

    @Test("an attempt that is finished makes the image active with its data", arguments: DatabaseUnderTest.all)
    func upload(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            let claim = try await tables.begin(id, attempt: "a1", store: "fast", as: .of("tenant1"), at: .start + 1)
            #expect(claim == UploadClaim(leaseSeconds: 60))
            var image = try await tables.show(id)
            #expect(image.status == .saving)
            #expect(image.locations.isEmpty)
            #expect(image.updatedAt == .start + 1)
            #expect(image.revision == 2)
            #expect(try await tables.states(of: ["a1", "a2"]) == AttemptStates(finished: [], pending: ["a1"]))

            let finished = try await tables.finish("a1", size: 1 << 40, at: .start + 60)
            image.status = .active
            image.size = 1 << 40
            image.checksum = "c-a1"
            image.hashAlgorithm = "sha512"
            image.hashValue = "h-a1"
            image.locations = [ImageLocation(url: url, metadata: ["store": "fast"])]
            image.updatedAt = .start + 60
            image.revision = 3
            #expect(finished == image)
            #expect(try await tables.show(id) == image)
            #expect(try await tables.states(of: ["a1", "a2"]) == AttemptStates(finished: ["a1"], pending: []))
            #expect(try await tables.count("uploads") == 0)
        }
    }

    @Test(
        "what a guest sees is recorded, if the format is still the one that was looked for",
        arguments: DatabaseUnderTest.all
    )
    func inspected(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: id, owner: "tenant1", containerFormat: "bare", diskFormat: "qcow2"))
            try await tables.begin(id, attempt: "a1", as: .of("tenant1"))
            let other = await refusal { try await tables.finish("a1", virtualSize: 9, diskFormat: "raw") }
            #expect(other == .leaseLost)
            let finished = try await tables.finish("a1", virtualSize: 1 << 44, diskFormat: "qcow2")
            #expect(finished.virtualSize == 1 << 44)
            #expect(try await tables.show(id).virtualSize == 1 << 44)
        }
    }

    @Test("a second attempt is refused while the first goes on and once it is done", arguments: DatabaseUnderTest.all)
    func secondBegin(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.begin(id, attempt: "a1")
            #expect(await refusal { try await tables.begin(id, attempt: "a2", holder: .two) } == .wrongState)
            try await tables.finish("a1")
            #expect(await refusal { try await tables.begin(id, attempt: "a3") } == .wrongState)
            #expect(try await tables.show(id).checksum == "c-a1")
            #expect(try await tables.count("image_locations") == 1)
            let states = try await tables.states(of: ["a1", "a2", "a3"])
            #expect(states == AttemptStates(finished: ["a1"], pending: []))
        }
    }

    @Test("of many attempts that begin at once exactly one does", arguments: DatabaseUnderTest.all)
    func race(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            let begun = await withTaskGroup(of: Int.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        let answer = await refusal { try await tables.begin(id, attempt: "a\(number)") }
                        #expect(answer == nil || answer == .wrongState)
                        return answer == nil ? 1 : 0
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(begun == 1)
            let uploads = try await tables.count("uploads")
            #expect(uploads == 1)
            #expect(try await tables.count("image_locations") == 1)
        }
    }

    @Test("finishing is applied once", arguments: DatabaseUnderTest.all)
    func secondFinish(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.begin(id, attempt: "a1")
            let finished = try await tables.finish("a1")
            #expect(await refusal { try await tables.finish("a1", size: 9) } == .leaseLost)
            #expect(await refusal { try await tables.finish("nobody's") } == .leaseLost)
            #expect(try await tables.show(id) == finished)
        }
    }

    // MARK: Leases

    @Test("a lease holds to its last microsecond and is lost after", arguments: DatabaseUnderTest.all)
    func leaseLost(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.begin(id, attempt: "a1")
            let end = Timestamp.start + 60
            #expect(try await tables.reap(at: Timestamp(microseconds: end.microseconds - 1)) == 0)
            #expect(await refusal { try await tables.finish("a1", at: end) } == .leaseLost)
            #expect(try await tables.renew(["a1"], at: end) == [])
            // Late as it is, nothing has changed until somebody ends it.
            #expect(try await tables.show(id).status == .saving)
            #expect(try await tables.states(of: ["a1"]).pending == ["a1"])
        }
    }

    @Test("renewing prolongs what its process holds, and answers which", arguments: DatabaseUnderTest.all)
    func renew(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.create(Image(id: .numbered(2)))
            try await tables.begin(id, attempt: "a1")
            try await tables.begin(.numbered(2), attempt: "a2", holder: .two)
            let names = ["a1", "a2", "nobody's"]
            #expect(try await tables.renew(names, at: .start + 50) == ["a1"])
            let restarted = Holder(node: Holder.one.node, process: "1b")
            #expect(try await tables.renew(names, holder: restarted, at: .start + 55) == [])
            #expect(try await tables.renew(names, at: .start + 100) == ["a1"])
            #expect(try await tables.renew([], at: .start + 100) == [])
            // The other's lease has passed on, this one's has not.
            #expect(try await tables.reap(at: .start + 159) == 1)
            #expect(try await tables.show(.numbered(2)).status == .queued)
            try await tables.finish("a1", at: .start + 159)
        }
    }

    @Test("reaping gives the image back and queues the bytes, once", arguments: DatabaseUnderTest.all)
    func reap(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.begin(id, attempt: "a1")
            let hasExpired: (Int64) async throws -> Bool = { seconds in
                try await tables.database.read { try UploadTable($0).hasExpired(at: .start + seconds) }
            }
            #expect(try await hasExpired(59) == false)
            #expect(try await hasExpired(60))
            #expect(try await tables.reap(at: .start + 60) == 1)
            #expect(try await hasExpired(60) == false)
            let image = try await tables.show(id)
            #expect(image.status == .queued)
            #expect(image.revision == 3)
            #expect(image.properties == ["kept": "yes"])
            for seconds in [60, 61, 9_999] as [Int64] { #expect(try await tables.reap(at: .start + seconds) == 0) }
            #expect(try await tables.show(id) == image)
            #expect(await refusal { try await tables.finish("a1", at: .start) } == .leaseLost)
            // Anybody may take the deletion at once.
            let deletions = try await tables.claim(at: .start + 60)
            #expect(deletions.map(\.attempt) == ["a1"])
            #expect(deletions.map(\.isUnfinished) == [true])
            #expect(deletions.map(\.identity) == [nil])
        }
    }

    @Test("reaping goes by what has waited longest, so many at a time", arguments: DatabaseUnderTest.all)
    func reapLimit(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for number in 0..<5 {
                try await tables.create(Image(id: .numbered(number)))
                try await tables.begin(.numbered(number), attempt: "a\(number)", at: .start + Int64(5 - number))
            }
            #expect(try await tables.reap(at: .start + 64, limit: 3) == 3)
            var states: [ImageStatus] = []
            for number in 0..<5 { states.append(try await tables.show(.numbered(number)).status) }
            #expect(states == [.saving, .saving, .queued, .queued, .queued])
            #expect(try await tables.reap(at: .start + 64, limit: 3) == 1)
            #expect(try await tables.reap(at: .start + 65, limit: 3) == 1)
        }
    }

    @Test("a reaped attempt cannot harm the one after it", arguments: DatabaseUnderTest.all)
    func successor(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.begin(id, attempt: "a1")
            _ = try await tables.reap(at: .start + 60)
            try await tables.finishDeletions(try await tables.claim(at: .start + 60))
            try await tables.begin(id, attempt: "a2", holder: .two, at: .start + 61)
            #expect(await refusal { try await tables.finish("a1", at: .start + 62) } == .leaseLost)
            #expect(try await tables.abort("a1", at: .start + 62) == false)
            #expect(try await tables.renew(["a1"], at: .start + 62) == [])
            #expect(try await tables.show(id).status == .saving)
            #expect(try await tables.finish("a2", at: .start + 63).checksum == "c-a2")
            #expect(try await tables.claim(at: .start + 9_999).isEmpty)
        }
    }

    // MARK: Aborting

    @Test("an aborted attempt gives the image back without a size", arguments: DatabaseUnderTest.all)
    func abort(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            for isDiscarded in [true, true, false] {
                try await tables.begin(id, attempt: "a1")
                try await tables.execute("UPDATE images SET size = 7, virtual_size = 8 WHERE id = ?", [.text(id.text)])
                #expect(try await tables.abort("a1", isDiscarded: isDiscarded) == false)
                let image = try await tables.show(id)
                #expect(image.status == .queued)
                #expect(image.size == nil && image.virtualSize == nil)
                // Again, it changes nothing.
                #expect(try await tables.abort("a1", isDiscarded: isDiscarded) == false)
                #expect(try await tables.show(id) == image)
                let pending = isDiscarded ? [] : ["a1"]
                #expect(try await tables.states(of: ["a1"]) == AttemptStates(finished: [], pending: pending))
                #expect(try await tables.count("uploads") == 0)
            }
            #expect(try await tables.claim(at: .start).map(\.attempt) == ["a1"])
        }
    }

    @Test("an attempt that was finished is not aborted, and the answer says so", arguments: DatabaseUnderTest.all)
    func abortAfterFinish(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.begin(id, attempt: "a1")
            let finished = try await tables.finish("a1")
            for isDiscarded in [false, true] {
                #expect(try await tables.abort("a1", isDiscarded: isDiscarded))
                #expect(try await tables.show(id) == finished)
            }
            #expect(try await tables.claim(at: .start + 9_999).isEmpty)
        }
    }

    @Test("aborting what nobody began changes nothing", arguments: DatabaseUnderTest.all)
    func abortUnknown(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.begin(id, attempt: "a1")
            let image = try await tables.show(id)
            #expect(try await tables.abort("nobody's") == false)
            #expect(try await tables.show(id) == image)
            try await tables.finish("a1")
        }
    }

    // MARK: Earlier bytes at the same place

    @Test("a begin answers what must go from the place first, and claims nothing", arguments: DatabaseUnderTest.all)
    func toSettle(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.begin(id, attempt: "a1")
            try await tables.abort("a1", isDiscarded: false)
            let image = try await tables.show(id)
            let claim = try await tables.begin(id, attempt: "a2", holder: .two, at: .start + 1)
            #expect(claim.leaseSeconds == 0)
            #expect(claim.toSettle.map(\.attempt) == ["a1"])
            #expect(claim.toSettle.map(\.url) == [url])
            #expect(claim.toSettle.map(\.isUnfinished) == [true])
            #expect(try await tables.show(id) == image)
            #expect(try await tables.count("uploads") == 0)
            #expect(try await tables.states(of: ["a1", "a2"]) == AttemptStates(finished: [], pending: ["a1"]))
            // Whoever asked is at it; the others leave it alone for a while.
            #expect(try await tables.claim(at: .start + 60).isEmpty)

            try await tables.finishDeletions(claim.toSettle)
            #expect(try await tables.show(id) == image)
            #expect(try await tables.begin(id, attempt: "a2", holder: .two, at: .start + 2).leaseSeconds == 60)
        }
    }

    @Test("deletions elsewhere are nothing to wait for", arguments: DatabaseUnderTest.all)
    func otherDeletions(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.createActive(Image(id: .numbered(2)))
            try await tables.delete(.numbered(2))
            #expect(try await tables.begin(id, attempt: "a1") == UploadClaim(leaseSeconds: 60))
        }
    }

    // MARK: Deleting meanwhile

    @Test("deleting an image ends its upload, whose bytes have to go", arguments: DatabaseUnderTest.all)
    func deleteWhileSaving(_ subject: DatabaseUnderTest) async throws {
        try await withQueued(subject) { tables in
            try await tables.begin(id, attempt: "a1")
            let deletions = try await tables.delete(id, holder: .two)
            #expect(deletions.map(\.attempt) == ["a1"])
            #expect(deletions.map(\.isUnfinished) == [true])
            #expect(await refusal { try await tables.finish("a1") } == .leaseLost)
            #expect(try await tables.renew(["a1"], at: .start) == [])
            #expect(try await tables.reap(at: .start + 9_999) == 0)
            // The node tidies up after itself; the queued deletion still sees to it that nothing is left.
            #expect(try await tables.abort("a1", isDiscarded: true) == false)
            #expect(await refusal { try await tables.show(id) } == .notFound)
            #expect(try await tables.states(of: ["a1"]).pending == ["a1"])
            try await tables.finishDeletions(deletions)
            #expect(try await tables.count("image_locations") == 0)
            #expect(try await tables.count("image_properties") == 0)
        }
    }

    // MARK: Starting again

    @Test("what a process held that lives no more is given up, and no other's", arguments: DatabaseUnderTest.all)
    func release(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let earlier = Holder(node: "api-1", process: "1a")
            let current = Holder(node: "api-1", process: "1b")
            let other = Holder(node: "api-2", process: "1a")
            for (number, holder) in [earlier, current, other].enumerated() {
                try await tables.create(Image(id: .numbered(number)))
                try await tables.begin(.numbered(number), attempt: "a\(number)", holder: holder)
                try await tables.createActive(Image(id: .numbered(number + 10)))
                try await tables.delete(.numbered(number + 10), holder: holder)
            }
            #expect(try await tables.processes(besides: current) == [earlier.process])
            #expect(try await tables.processes(besides: earlier) == [current.process])
            #expect(try await tables.processes(besides: Holder(node: "api-3", process: "1a")) == [])
            for _ in 0..<2 { try await tables.release(earlier) }
            #expect(try await tables.processes(besides: current) == [])
            var states: [ImageStatus] = []
            for number in 0..<3 { states.append(try await tables.show(.numbered(number)).status) }
            #expect(states == [.queued, .saving, .saving])
            #expect(await refusal { try await tables.finish("a0") } == .leaseLost)
            try await tables.finish("a1")
            try await tables.finish("a2")
            // Its half-written bytes, and the deletion it was at, are anybody's at once; the others' are not.
            let claimed = try await tables.claim(at: .start)
            #expect(Set(claimed.map(\.image)) == [.numbered(0), .numbered(10)])
        }
    }
}
