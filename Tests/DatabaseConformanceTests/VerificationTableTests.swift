import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// Whose turn it is to be verified, and what is known of whom.
@Suite("Verification table")
struct VerificationTableTests {
    private func makeActive(_ numbers: ClosedRange<Int>, _ tables: RegistryTables) async throws {
        for number in numbers { try await tables.createActive(Image(id: .numbered(number))) }
    }

    @Test("the longest ago comes first, each to one verifier at a time", arguments: DatabaseUnderTest.all)
    func order(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeActive(1...3, tables)
            for (number, second) in [(2, 10), (3, 20), (1, 30)] as [(Int, Int64)] {
                let copy = try #require(try await tables.verify(image: .numbered(number), at: .start + second))
                #expect(copy.image == .numbered(number) && copy.size == 5)
                #expect(copy.checksum == "c-attempt \(copy.image)" && copy.hashAlgorithm == "sha512")
                #expect(try await tables.record(.sound, copy, at: .start + second))
            }
            let now = Timestamp.start + 100
            #expect(try await tables.verify(before: .start + 9, at: now) == nil)
            var found: [ImageID] = []
            while let copy = try await tables.verify(before: .start + 20, at: now) { found.append(copy.image) }
            #expect(found == [.numbered(2), .numbered(3)])
            // What a verifier that died was at is anybody's after its time.
            #expect(try await tables.verify(holder: .two, before: .start + 20, at: now + 59) == nil)
            #expect(try await tables.verify(holder: .two, before: .start + 20, at: now + 60)?.image == .numbered(2))
            #expect(try await tables.verify("other", before: now, at: now + 60) == nil)
        }
    }

    @Test("who goes on renews; who lost it hears so", arguments: DatabaseUnderTest.all)
    func renew(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeActive(1...1, tables)
            let copy = try #require(try await tables.verify(before: .start, at: .start))
            #expect(try await tables.renew(copy, .one, at: .start + 50))
            #expect(try await tables.verify(holder: .two, before: .start, at: .start + 109) == nil)
            #expect(try await tables.renew(copy, .two, at: .start + 50) == false)
            // What a process was at that lives no more is given up.
            let later = Holder(node: Holder.one.node, process: "1b")
            try await tables.release(later)
            #expect(try await tables.renew(copy, .one, at: .start + 51))
            #expect(try await tables.processes(besides: .two) == [])
            #expect(try await tables.processes(besides: later) == [Holder.one.process])
            try await tables.release(.one)
            #expect(try await tables.renew(copy, .one, at: .start + 52) == false)
            #expect(try await tables.verify(holder: .two, before: .start, at: .start + 52)?.id == copy.id)
        }
    }

    @Test("who lost it records nothing, and does not undo what was found since", arguments: DatabaseUnderTest.all)
    func lost(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeActive(1...1, tables)
            let copy = try #require(try await tables.verify(before: .start, at: .start))
            // Its time is up while the other reads: neither before nor after the other's result does its own count.
            #expect(try await tables.verify(holder: .two, before: .start, at: .start + 60)?.id == copy.id)
            #expect(try await tables.record(.sound, copy, at: .start + 61) == false)
            #expect(try await tables.record(.digest, copy, holder: .two, at: .start + 62))
            for result in VerificationResult.allCases {
                #expect(try await tables.record(result, copy, at: .start + 63) == false, "\(result)")
            }
            let damage = try await tables.damage().copies
            #expect(damage.map(\.damage) == [.digest] && damage.map(\.foundAt) == [.start + 62])
            #expect(try await tables.verify(before: .start + 61, at: .start + 700) == nil)
            // Nor does that of a process that went before in the same node.
            #expect(try await tables.verify(before: .start + 62, at: .start + 701)?.id == copy.id)
            let former = Holder(node: Holder.one.node, process: "before")
            #expect(try await tables.record(.sound, copy, holder: former, at: .start + 702) == false)
            #expect(try await tables.damage().total == 1)
        }
    }

    @Test("a mark stays until the copy is sound, and is no other image's", arguments: DatabaseUnderTest.all)
    func damage(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeActive(1...3, tables)
            for (number, result) in [(1, .digest), (2, .missing), (3, .sound)] as [(Int, VerificationResult)] {
                let copy = try #require(try await tables.verify(image: .numbered(number), at: .start))
                #expect(try await tables.record(result, copy, at: .start + Int64(number)))
            }
            let url = "file:///data/\(ImageID.numbered(1))"
            #expect(try await tables.show(.numbered(1)).damaged == [url])
            // What is missing may come back, and is not kept from anybody then.
            for number in 2...3 { #expect(try await tables.show(.numbered(number)).damaged.isEmpty) }
            #expect(try await tables.list(ImageListQuery(limit: 25)).map(\.damaged.count).sorted() == [0, 0, 1])
            let page = try await tables.damage()
            #expect(page.total == 2 && page.copies.map(\.damage) == [.digest, .missing])
            #expect(page.copies.map(\.foundAt) == [.start + 1, .start + 2])
            let first = try #require(page.copies.first?.copy)
            #expect(try await tables.damage(after: first.id).copies.map(\.copy.image) == [.numbered(2)])
            func recordAnew(_ result: VerificationResult, _ copy: StoredCopy, at now: Timestamp) async throws {
                _ = try #require(try await tables.verify(image: copy.image, at: now))
                #expect(try await tables.record(result, copy, at: now))
            }
            #expect(try await tables.damage(limit: 0) == DamagePage(copies: [], total: 2))
            // What is not read tells nothing; what is found again was found before.
            try await recordAnew(.unread, first, at: .start + 50)
            try await recordAnew(.size, first, at: .start + 60)
            let again = try #require(try await tables.damage().copies.first)
            #expect(again.damage == .size && again.foundAt == .start + 1)
            try await recordAnew(.sound, first, at: .start + 70)
            #expect(try await tables.damage().copies.map(\.copy.image) == [.numbered(2)])
            #expect(try await tables.show(.numbered(1)).damaged.isEmpty)
        }
    }

    @Test("what could not be read is left alone for a while", arguments: DatabaseUnderTest.all)
    func unread(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await makeActive(1...1, tables)
            let copy = try #require(try await tables.verify(before: .start, at: .start))
            #expect(try await tables.record(.unread, copy, at: .start))
            #expect(try await tables.verify(before: .start, at: .start + 599) == nil)
            #expect(try await tables.verify(before: .start, at: .start + 600)?.id == copy.id)
        }
    }

    @Test("nothing is said of data that is on the web, on its way, or gone", arguments: DatabaseUnderTest.all)
    func others(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: .numbered(1)))
            try await tables.begin(.numbered(1), attempt: "a1")
            var image = try await tables.create(Image(id: .numbered(2)))
            image.status = .active
            image.size = 5
            image.locations = [ImageLocation(url: "HTTP://a")]
            try await tables.relocate(image)
            #expect(try await tables.verify(before: .start, at: .start) == nil)

            try await makeActive(3...3, tables)
            let copy = try #require(try await tables.verify(before: .start, at: .start))
            try await tables.delete(.numbered(3))
            #expect(try await tables.record(.missing, copy, at: .start) == false)
            #expect(try await tables.damage().total == 0)
        }
    }

    @Test("a mark goes along when locations change their order", arguments: DatabaseUnderTest.all)
    func reordered(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var image = try await tables.createActive(Image(id: .numbered(1)))
            let copy = try #require(try await tables.verify(before: .start, at: .start))
            #expect(try await tables.record(.digest, copy, at: .start))
            image.locations.insert(ImageLocation(url: "http://a"), at: 0)
            let relocated = try await tables.relocate(image).image
            #expect(relocated.locations.map(\.url) == ["http://a", copy.url])
            #expect(relocated.damaged == [copy.url])
        }
    }
}

extension RegistryTables {
    fileprivate func verify(
        _ store: String = "",
        holder: Holder = .one,
        before: Timestamp = .start,
        image: ImageID? = nil,
        at now: Timestamp
    ) async throws -> StoredCopy? {
        let claim = ClaimVerification(holder: holder, store: store, before: before, image: image)
        return try await database.write { try VerificationTable($0).claim(claim, until: now + 60, at: now) }
    }

    fileprivate func renew(_ copy: StoredCopy, _ holder: Holder, at now: Timestamp) async throws -> Bool {
        let renewal = RenewVerification(holder: holder, id: copy.id)
        return try await database.write { try VerificationTable($0).renew(renewal, until: now + 60) }
    }

    fileprivate func record(
        _ result: VerificationResult,
        _ copy: StoredCopy,
        holder: Holder = .one,
        at now: Timestamp
    ) async throws -> Bool {
        let record = RecordVerification(holder: holder, id: copy.id, result: result)
        return try await database.write { try VerificationTable($0).record(record, retryAt: now + 600, at: now) }
    }

    fileprivate func damage(after: Int64 = 0, limit: Int64 = 100) async throws -> DamagePage {
        let list = ListDamage(after: after, limit: limit)
        return try await database.read { try VerificationTable($0).damage(list) }
    }
}
