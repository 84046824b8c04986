import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// Data that has to go from the stores: claimed, carried out, or put off.
@Suite("Location table")
struct LocationTableTests {
    /// Queues a deletion per image, which anybody may claim from the start on.
    private func queue(_ count: Int, _ tables: RegistryTables, store: String? = nil, from first: Int = 0) async throws {
        for number in first..<first + count {
            try await tables.create(Image(id: .numbered(number)))
            try await tables.begin(.numbered(number), attempt: "a\(number)", store: store)
            try await tables.finish("a\(number)")
            try await tables.delete(.numbered(number), claimedUntil: .start)
        }
    }

    // MARK: Claiming

    @Test("a claimed deletion is one's own until the claim has passed on", arguments: DatabaseUnderTest.all)
    func claim(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await queue(2, tables)
            let first = try await tables.claim(limit: 1, until: .start + 10, at: .start)
            #expect(first.map(\.attempt) == ["a0"])
            let second = try await tables.claim(holder: .one, until: .start + 30, at: .start)
            #expect(second.map(\.attempt) == ["a1"])
            #expect(try await tables.claim(at: .start + 9).isEmpty)
            #expect(try await tables.claim(until: .start + 40, at: .start + 10) == first)
            #expect(try await tables.claim(until: .start + 99, at: .start + 30) == second)
            #expect(try await tables.claim(until: .start + 99, at: .start + 40) == first)
        }
    }

    @Test("only the deletions of the stores that were named are claimed", arguments: DatabaseUnderTest.all)
    func claimStores(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await queue(1, tables, store: nil, from: 0)
            try await queue(1, tables, store: "fast", from: 1)
            try await queue(1, tables, store: "slow", from: 2)
            #expect(try await tables.claim([], at: .start).isEmpty)
            #expect(try await tables.claim(["none"], at: .start).isEmpty)
            #expect(try await tables.claim([""], at: .start).map(\.store) == [nil])
            #expect(try await tables.claim(["none", "slow", "fast", ""], at: .start).map(\.store) == ["fast", "slow"])
        }
    }

    @Test("claimers who come at once never get the same deletion", arguments: DatabaseUnderTest.all)
    func race(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await queue(40, tables)
            let claimed = try await withThrowingTaskGroup(of: [Int64].self) { group in
                for number in 0..<8 {
                    group.addTask {
                        var claimed: [Int64] = []
                        let holder = Holder(node: "api-\(number)", process: "\(number)")
                        while true {
                            let more = try await tables.claim(holder: holder, limit: 3, at: .start).map(\.id)
                            if more.isEmpty { return claimed }
                            claimed += more
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.count == 40)
            #expect(Set(claimed).count == 40)
        }
    }

    // MARK: Carrying out

    @Test("with the last of its data a record loses everything but its id", arguments: DatabaseUnderTest.all)
    func finish(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let id = ImageID.numbered(1)
            try await tables.createActive(Image(id: id, tags: ["t"], properties: ["p": "v"]))
            try await tables.createActive(Image(id: .numbered(2), tags: ["t"], properties: ["p": "v"]))
            try await tables.addCopy(of: id)
            for image in [id, .numbered(2)] { try await tables.share(image, with: "tenant2", "accepted") }
            let children = ["image_properties", "image_tags", "image_members"]

            let deletions = try await tables.delete(id)
            #expect(deletions.count == 2)
            for deletion in deletions {
                for table in children { #expect(try await tables.count(table) == 2, "\(table)") }
                // Reported twice, it is done once.
                for _ in 0..<2 { try await tables.finishDeletions([deletion]) }
            }
            for table in children { #expect(try await tables.count(table) == 1, "\(table)") }
            #expect(try await tables.count("image_locations WHERE image_id = ?", [.text(id.text)]) == 0)
            #expect(await refusal { try await tables.show(id) } == .notFound)
            #expect(await refusal { try await tables.create(Image(id: id)) } == .duplicate)
            #expect(try await tables.show(.numbered(2)).tags == ["t"])
        }
    }

    @Test("a live location is not finished away by a late report", arguments: DatabaseUnderTest.all)
    func lateReport(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let id = ImageID.numbered(1)
            let image = try await tables.createActive(Image(id: id))
            let deletions = try await tables.delete(id)
            try await tables.restore(id)
            try await tables.finishDeletions(deletions)
            try await tables.postponeDeletions(deletions, at: .start)
            #expect(try await tables.show(id).locations == image.locations)
            #expect(try await tables.claim(at: .start + 9_999).isEmpty)
        }
    }

    @Test("the bytes of a given-up attempt go without the image they were meant for", arguments: DatabaseUnderTest.all)
    func finishUnfinished(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let id = ImageID.numbered(1)
            try await tables.create(Image(id: id, tags: ["t"], properties: ["p": "v"]))
            try await tables.begin(id, attempt: "a1")
            try await tables.abort("a1")
            let image = try await tables.show(id)
            try await tables.finishDeletions(try await tables.claim(at: .start))
            #expect(try await tables.show(id) == image)
            #expect(try await tables.states(of: ["a1"]) == AttemptStates(finished: [], pending: []))
        }
    }

    // MARK: Putting off

    @Test("pauses double from 15 seconds and end at an hour", arguments: DatabaseUnderTest.all)
    func postpone(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await queue(1, tables)
            var now = Timestamp.start
            var deletions = try await tables.claim(at: now)
            for pause in [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600] as [Int64] {
                try await tables.postponeDeletions(deletions, at: now)
                let end = now + pause
                let before = Timestamp(microseconds: end.microseconds - 1)
                #expect(try await tables.claim(at: before).isEmpty, "\(pause)")
                let claimed = try await tables.claim(at: end)
                #expect(claimed == deletions, "\(pause)")
                (now, deletions) = (end, claimed)
            }
        }
    }

    @Test("what was put off stays put off when its node starts again", arguments: DatabaseUnderTest.all)
    func postponeAndRelease(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await queue(1, tables)
            try await tables.postponeDeletions(try await tables.claim(holder: .one, at: .start), at: .start)
            try await tables.release(.one)
            #expect(try await tables.claim(at: .start + 14).isEmpty)
            #expect(try await tables.claim(at: .start + 15).count == 1)
        }
    }

    @Test("the failures of a deletion are forgotten when its image is given back", arguments: DatabaseUnderTest.all)
    func failuresForgotten(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let id = ImageID.numbered(1)
            try await tables.createActive(Image(id: id))
            for _ in 0..<3 {
                let deletions = try await tables.delete(id)
                try await tables.postponeDeletions(deletions, at: .start)
                #expect(try await tables.claim(at: .start + 14).isEmpty)
                #expect(try await tables.claim(at: .start + 15) == deletions)
                try await tables.restore(id)
            }
        }
    }

    // MARK: Asking

    @Test("attempts are finished, pending or over", arguments: DatabaseUnderTest.all)
    func states(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for number in 1...5 { try await tables.create(Image(id: .numbered(number))) }
            for number in 1...5 { try await tables.begin(.numbered(number), attempt: "a\(number)") }
            try await tables.finish("a2")
            try await tables.abort("a3", isDiscarded: false)
            try await tables.abort("a4", isDiscarded: true)
            try await tables.finish("a5")
            try await tables.delete(.numbered(5))
            let attempts = ["a5", "a4", "a3", "a2", "a1", "nobody's"]
            let expected = AttemptStates(finished: ["a2"], pending: ["a5", "a3", "a1"])
            #expect(try await tables.states(of: attempts) == expected)
            #expect(try await tables.states(of: []) == AttemptStates(finished: [], pending: []))
        }
    }
}
