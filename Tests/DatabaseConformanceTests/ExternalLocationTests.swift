import ImageModel
import RegistryContract
import RegistryDatabase
import Testing
import WireJSON

/// Locations that clients name, in the registry's tables.
@Suite("External locations")
struct ExternalLocationTests {
    private func location(_ url: String, _ metadata: JSONObject = [:]) -> ImageLocation {
        ImageLocation(url: url, metadata: metadata)
    }

    /// An image that names data elsewhere.
    private func createNaming(_ locations: [ImageLocation], _ number: Int, _ tables: RegistryTables) async throws
        -> Image
    {
        var image = try await tables.create(Image(id: .numbered(number)))
        image.status = .active
        image.size = 9
        image.locations = locations
        return try await tables.relocate(image).image
    }

    private func states(_ url: String, _ tables: RegistryTables) async throws -> [String] {
        try await tables.database.read { connection in
            try connection.query(
                "SELECT state FROM image_locations WHERE url = ? ORDER BY id",
                [.text(url)],
                { $0.text(0) }
            )
        }
    }

    @Test("the first location makes an image active, with size and digests", arguments: DatabaseUnderTest.all)
    func first(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var image = try await tables.create(Image(id: .numbered(1)))
            image.status = .active
            image.size = 9
            image.checksum = "c"
            (image.hashAlgorithm, image.hashValue) = ("sha512", "h")
            image.locations = [location("http://a", ["store": "web", "k": ["deep": 1]])]
            image.name = "renamed with it"
            let relocated = try await tables.relocate(image, at: .start + 5)
            #expect(relocated.deletions.isEmpty)
            image.revision += 1
            image.updatedAt = .start + 5
            #expect(relocated.image == image)
            #expect(try await tables.show(image.id) == image)
        }
    }

    @Test("locations are kept in the order that was asked for", arguments: DatabaseUnderTest.all)
    func order(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let orders = [
                ["a", "b"], ["b", "a"], ["c", "b", "a"], ["c", "d", "b", "a"], ["a", "b", "c", "d", "e"], ["e", "a"],
                ["x", "e", "y", "a", "z"],
            ]
            var image = try await createNaming([location("http://a")], 1, tables)
            for order in orders {
                image.locations = order.map { location("http://\($0)", ["at": .string($0)]) }
                image = try await tables.relocate(image).image
                #expect(image.locations.map(\.url) == order.map { "http://\($0)" })
            }
        }
    }

    @Test("metadata changes without touching what is known of the data", arguments: DatabaseUnderTest.all)
    func metadata(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var image = try await tables.createActive(Image(id: .numbered(1)))
            let url = try #require(image.locations.first?.url)
            image.locations = [location("http://a"), location(url, ["k": "v"])]
            let relocated = try await tables.relocate(image)
            #expect(relocated.image.locations == image.locations)
            #expect(relocated.deletions.isEmpty)
            let deletions = try await tables.delete(image.id)
            let own = try #require(deletions.first { $0.url == url })
            #expect(own.attempt == "attempt \(image.id)" && own.identity == "inode of attempt \(image.id)")
        }
    }

    @Test("what is no longer named is to be deleted, and claimed", arguments: DatabaseUnderTest.all)
    func removal(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var image = try await createNaming(
                [location("rbd://a"), location("rbd://b", ["store": "block"])],
                1,
                tables
            )
            image.locations.removeLast()
            let relocated = try await tables.relocate(image)
            #expect(relocated.deletions.map(\.url) == ["rbd://b"])
            #expect(relocated.deletions.map(\.store) == ["block"])
            #expect(relocated.image.locations == image.locations)
            #expect(try await tables.claim(["", "block"], at: .start + 59).isEmpty)
            #expect(try await tables.claim(["", "block"], at: .start + 60) == relocated.deletions)
            try await tables.finishDeletions(relocated.deletions)
            #expect(try await tables.show(image.id) == relocated.image)
        }
    }

    @Test("data that is named elsewhere too is never deleted", arguments: DatabaseUnderTest.all)
    func shared(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let both = [location("rbd://a"), location("rbd://b")]
            var one = try await createNaming(both, 1, tables)
            let other = try await createNaming(both, 2, tables)
            one.locations = [location("rbd://a"), location("rbd://a", ["again": true])]
            one = try await tables.relocate(one).image
            #expect(try await states("rbd://b", tables) == ["live"])
            one.locations.removeLast()
            #expect(try await tables.relocate(one).deletions.isEmpty)
            #expect(try await tables.delete(one.id).isEmpty)
            #expect(try await tables.show(other.id).locations == both)
            #expect(try await tables.delete(other.id).map(\.url) == ["rbd://a", "rbd://b"])
        }
    }

    @Test("data on the web is forgotten at once and keeps nobody from naming it", arguments: DatabaseUnderTest.all)
    func web(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for (number, url) in ["http://a", "https://a", "HTTP://a", "httpS://a"].enumerated() {
                let ids = (0..<4).map { ImageID.numbered(number * 4 + $0 + 1) }
                var image = try await createNaming([location(url), location(url + "/b")], number * 4 + 1, tables)
                image.locations.removeLast()
                #expect(try await tables.relocate(image).deletions.isEmpty, "\(url)")
                #expect(try await states(url + "/b", tables) == [])
                #expect(try await tables.delete(image.id).isEmpty)
                #expect(try await states(url, tables) == [])
                _ = try await createNaming([location(url)], number * 4 + 2, tables)
                // Two compare the same data at once, and one of them is deleted meanwhile.
                for id in ids[2...] {
                    try await tables.create(Image(id: id))
                    try await tables.beginExternal(id, "x \(id)", url: url)
                }
                #expect(try await tables.delete(ids[2]).isEmpty)
                #expect(try await tables.finish("x \(ids[3])", size: 9).status == .active)
                #expect(try await states(url, tables) == ["live", "live"])
            }
        }
    }

    @Test("a deleted image keeps its data on the web until it cannot be given back", arguments: DatabaseUnderTest.all)
    func webOfRestored(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var image = try await tables.createActive(Image(id: .numbered(1)))
            image.locations.append(location("http://a"))
            image = try await tables.relocate(image).image
            #expect(try await tables.delete(image.id).map(\.url) == [image.locations[0].url])
            try await tables.restore(image.id)
            #expect(try await tables.show(image.id).locations == image.locations)
            try await tables.finishDeletions(try await tables.delete(image.id))
            #expect(try await tables.count("image_locations") == 0)
        }
    }

    @Test(
        "nobody names what an upload wrote for another image, nor what is about to go",
        arguments: DatabaseUnderTest.all
    )
    func foreign(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let victim = try await tables.createActive(Image(id: .numbered(1)))
            let url = try #require(victim.locations.first?.url)
            var image = try await createNaming([location("http://a")], 2, tables)
            image.locations.append(location(url))
            let thief = image
            #expect(await refusal { try await tables.relocate(thief) } == .invalid)
            try await tables.create(Image(id: .numbered(3)))
            #expect(await refusal { try await tables.beginExternal(.numbered(3), "x", url: url) } == .invalid)
            try await tables.delete(victim.id)
            #expect(await refusal { try await tables.relocate(thief) } == .wrongState)
            #expect(await refusal { try await tables.beginExternal(.numbered(3), "x", url: url) } == .wrongState)
            #expect(try await tables.show(.numbered(3)).status == .queued)
        }
    }

    @Test(
        "data on the web that was refused stays named, and makes room for what comes next",
        arguments: DatabaseUnderTest.all
    )
    func refused(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for (number, url) in [(1, "http://a"), (2, "rbd://a")] {
                let id = ImageID.numbered(number)
                try await tables.create(Image(id: id))
                try await tables.beginExternal(id, "refused \(number)", url: url)
                try await tables.abort("refused \(number)", isDiscarded: true, keepsLocation: true)
                let image = try await tables.show(id)
                #expect(image.status == .queued && image.size == nil)
                #expect(image.locations.map(\.url) == (number == 1 ? [url] : []))
                try await tables.begin(id, attempt: "next \(number)")
                #expect(try await tables.show(id).locations == [])
                #expect(try await tables.finish("next \(number)").locations.count == 1)
            }
        }
    }

    @Test("a record that moved on, or is somebody else's, keeps its locations", arguments: DatabaseUnderTest.all)
    func conditions(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var image = try await tables.create(Image(id: .numbered(1), visibility: .public, owner: "tenant1"))
            image.status = .active
            image.size = 9
            image.locations = [location("http://a")]
            let wanted = image
            #expect(await refusal { try await tables.relocate(wanted, as: .of("tenant2")) } == .forbidden)
            image.name = "new"
            image.status = .queued
            image.locations = []
            try await tables.update(image)
            #expect(await refusal { try await tables.relocate(wanted) } == .changedMeanwhile)
            #expect(try await tables.show(image.id).status == .queued)
            #expect(try await tables.show(image.id).locations.isEmpty)
            #expect(try await tables.count("image_locations") == 0)
        }
    }

    @Test("data that is compared first is shown only once it was", arguments: DatabaseUnderTest.all)
    func compared(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let id = ImageID.numbered(1)
            try await tables.create(Image(id: id))
            try await tables.beginExternal(id, "x", url: "http://a")
            #expect(try await tables.show(id).status == .importing)
            #expect(try await tables.show(id).locations.isEmpty)
            #expect(await refusal { try await tables.beginExternal(id, "y", url: "http://a") } == .wrongState)
            let image = try await tables.finish("x", size: 9)
            #expect(image.status == .active && image.size == 9 && image.hashValue == "h-x")
            #expect(image.locations == [location("http://a", ["store": "web"])])
            #expect(try await tables.delete(id).isEmpty)
            #expect(try await tables.count("image_locations") == 0)
        }
    }

    @Test("a comparison that fails, or whose process dies, gives the image back", arguments: DatabaseUnderTest.all)
    func givenBack(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let id = ImageID.numbered(1)
            try await tables.create(Image(id: id))
            try await tables.beginExternal(id, "x", url: "http://a")
            try await tables.abort("x", isDiscarded: true)
            #expect(try await tables.show(id).status == .queued)
            #expect(try await tables.count("image_locations") == 0)
            try await tables.beginExternal(id, "y", url: "http://a")
            #expect(try await tables.reap(at: .start + 61) == 1)
            #expect(try await tables.show(id).status == .queued)
            #expect(await refusal { try await tables.finish("y", at: .start + 62) } == .leaseLost)
            // Nobody wrote anything, so nothing is to be deleted.
            #expect(try await tables.count("image_locations") == 0)
        }
    }

    @Test("digests are filled in once, while the image names what was read", arguments: DatabaseUnderTest.all)
    func digests(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let image = try await createNaming([location("http://a")], 1, tables)
            try await tables.record("c1", of: image.id, url: "http://elsewhere")
            #expect(try await tables.show(image.id) == image)
            try await tables.record("c2", of: image.id, url: "http://a")
            try await tables.record("c3", of: image.id, url: "http://a")
            let shown = try await tables.show(image.id)
            #expect(shown.checksum == "c2" && shown.hashAlgorithm == "sha512" && shown.hashValue == "h")
            #expect(shown.revision == image.revision + 1)
        }
    }
}

extension RegistryTables {
    @discardableResult
    func relocate(
        _ image: Image,
        within limits: UsageLimits = .none,
        as caller: Caller = .admin,
        at now: Timestamp = .start
    ) async throws -> RelocatedImage {
        try await database.write { connection in
            try ImageTable(connection)
                .relocate(image, as: caller, holder: .one, claimedUntil: now + 60, within: limits, at: now)
        }
    }

    @discardableResult
    fileprivate func beginExternal(_ id: ImageID, _ attempt: String, url: String) async throws -> UploadClaim {
        let upload = BeginUpload(
            image: id,
            attempt: attempt,
            holder: .one,
            store: "web",
            url: url,
            externalMetadata: ["store": "web"]
        )
        return try await database.write { connection in
            try UploadTable(connection)
                .begin(upload, as: .admin, lease: .seconds(60), claimedUntil: .start + 60, at: .start)
        }
    }

    fileprivate func record(_ checksum: String, of id: ImageID, url: String) async throws {
        let digests = RecordDigests(image: id, url: url, checksum: checksum, hashAlgorithm: "sha512", hashValue: "h")
        try await database.write { try ImageTable($0).record(digests, at: .start) }
    }
}
