import ImageModel
import RegistryContract
import RegistryDatabase
import Testing
import WireJSON

/// Records: made, read, changed, deleted and given back.
@Suite("Image table")
struct ImageTableTests {
    private let id = ImageID.numbered(1)

    /// Every field that a client may set, unlike its default.
    private var full: Image {
        Image(
            id: id,
            name: "cirros",
            visibility: .private,
            protected: true,
            hidden: true,
            owner: "tenant1",
            containerFormat: "bare",
            diskFormat: "qcow2",
            minDisk: 3,
            minRAM: 2_147_483_647,
            tags: ["z", "a", "m"],
            properties: ["os_distro": "debian", "empty": "", "kernel_id": nil]
        )
    }

    // MARK: Creating and showing

    @Test("a new record reads back as it was answered, with everything in it", arguments: DatabaseUnderTest.all)
    func create(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let created = try await tables.create(full, at: .start)
            var expected = full
            expected.createdAt = .start
            expected.updatedAt = .start
            expected.revision = 1
            #expect(created == expected)
            #expect(try await tables.show(id) == expected)
            #expect(try await tables.list(ImageListQuery(limit: 9, hidden: true)) == [expected])
        }
    }

    @Test("a record without anything reads back so", arguments: DatabaseUnderTest.all)
    func createBare(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let created = try await tables.create(Image(id: id))
            #expect(created == Image(id: id, createdAt: .start, updatedAt: .start, revision: 1))
            #expect(try await tables.show(id) == created)
        }
    }

    @Test("what is the registry's own is not taken from who creates", arguments: DatabaseUnderTest.all)
    func createOwnFields(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let wishes = Image(
                id: id,
                status: .active,
                size: 1,
                virtualSize: 2,
                checksum: "c",
                hashAlgorithm: "md5",
                hashValue: "h",
                createdAt: .start + 9,
                updatedAt: .start + 9,
                locations: [ImageLocation(url: "file:///etc/passwd")],
                revision: 7
            )
            let plain = Image(id: id, createdAt: .start, updatedAt: .start, revision: 1)
            let created = try await tables.create(wishes)
            #expect(created == plain)
            #expect(try await tables.show(id) == plain)
        }
    }

    @Test("a taken id is a duplicate, and what has it stays as it was", arguments: DatabaseUnderTest.all)
    func duplicate(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let first = try await tables.create(full)
            #expect(await refusal { try await tables.create(Image(id: id, tags: ["new"])) } == .duplicate)
            #expect(try await tables.show(id) == first)
        }
    }

    @Test("ids in upper and lower case are different images", arguments: DatabaseUnderTest.all)
    func idCase(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let lower = try #require(ImageID("abcdefab-0000-4000-8000-00000000000f"))
            let upper = try #require(ImageID("ABCDEFAB-0000-4000-8000-00000000000F"))
            try await tables.create(Image(id: lower, name: "lower"))
            #expect(await refusal { try await tables.show(upper) } == .notFound)
            try await tables.create(Image(id: upper, name: "upper"))
            #expect(try await tables.show(lower).name == "lower")
        }
    }

    @Test("an id opens what its caller may see, and nothing else is there", arguments: DatabaseUnderTest.all)
    func visibility(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var number = 0
            for owner in ["tenant1", nil] {
                for visibility in Visibility.allCases {
                    number += 1
                    let id = ImageID.numbered(number)
                    try await tables.create(Image(id: id, visibility: visibility, owner: owner))
                    for status in ["pending", "accepted", "rejected"] {
                        try await tables.share(id, with: "\(status) member", status)
                    }
                    let isOpen = owner == nil || visibility == .public || visibility == .community
                    let isShared = isOpen || visibility == .shared
                    let mayOpen: [(Caller, Bool)] = [
                        (.admin, true), (Caller(isAdmin: true), true), (.of("tenant1"), true),
                        (.of("tenant2"), isOpen), (.of(nil), isOpen), (.anonymous, isOpen),
                        (.of("pending member"), isShared), (.of("accepted member"), isShared),
                        (.of("rejected member"), isShared),
                    ]
                    for (caller, expected) in mayOpen {
                        let answer = await refusal { try await tables.show(id, as: caller) }
                        #expect(
                            answer == (expected ? nil : .notFound),
                            "\(owner ?? "nobody")'s \(visibility), \(caller)"
                        )
                    }
                }
            }
        }
    }

    // MARK: Changing

    @Test("a change puts every field a client may set, and moves the revision", arguments: DatabaseUnderTest.all)
    func update(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var expected = try await tables.create(Image(id: id, name: "old", owner: "tenant2", tags: ["old"]))
            var wanted = full
            wanted.revision = expected.revision
            let updated = try await tables.update(wanted, at: .start + 5)
            expected = full
            expected.createdAt = .start
            expected.updatedAt = .start + 5
            expected.revision = 2
            #expect(updated == expected)
            #expect(try await tables.show(id) == expected)

            var cleared = Image(id: id, revision: 2)
            cleared = try await tables.update(cleared, at: .start + 6)
            #expect(cleared == Image(id: id, createdAt: .start, updatedAt: .start + 6, revision: 3))
        }
    }

    @Test("sizes, digests, times and locations are not taken from a change", arguments: DatabaseUnderTest.all)
    func updateOwnFields(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let stored = try await tables.createActive(Image(id: id, owner: "tenant1"))
            var wishes = stored
            wishes.size = 99
            wishes.virtualSize = 99
            wishes.checksum = "other"
            wishes.hashAlgorithm = "other"
            wishes.hashValue = "other"
            wishes.createdAt = .start + 99
            wishes.updatedAt = .start + 99
            wishes.locations = []
            var expected = stored
            expected.updatedAt = .start + 1
            expected.revision += 1
            #expect(try await tables.update(wishes, at: .start + 1) == expected)
        }
    }

    @Test("of two changes of one revision the second is refused whole", arguments: DatabaseUnderTest.all)
    func changedMeanwhile(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let read = try await tables.create(Image(id: id, owner: "tenant1"))
            var first = read
            first.name = "first"
            let kept = try await tables.update(first)
            var second = read
            second.name = "second"
            second.tags = ["second"]
            second.properties = ["second": "yes"]
            #expect(await refusal { try await tables.update(second) } == .changedMeanwhile)
            #expect(try await tables.show(id) == kept)
            #expect(await refusal { try await tables.delete(id, revision: read.revision) } == .changedMeanwhile)
            #expect(try await tables.show(id) == kept)
        }
    }

    @Test("of many who change one revision at once exactly one does", arguments: DatabaseUnderTest.all)
    func race(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let read = try await tables.create(Image(id: id, owner: "tenant1"))
            let won = await withTaskGroup(of: Int.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        var changed = read
                        changed.name = "\(number)"
                        let answer = await refusal { try await tables.update(changed) }
                        #expect(answer == nil || answer == .changedMeanwhile)
                        return answer == nil ? 1 : 0
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(won == 1)
            #expect(try await tables.show(id).revision == 2)
        }
    }

    @Test("only administrators and the owner's project change or delete", arguments: DatabaseUnderTest.all)
    func ownership(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let mine = try await tables.create(Image(id: id, visibility: .public, owner: "tenant1"))
            let nobodys = try await tables.create(Image(id: .numbered(2), visibility: .public))
            let hidden = try await tables.create(Image(id: .numbered(3), visibility: .private, owner: "tenant1"))
            let attempts: [(Image, Caller, RegistryError.Code)] = [
                (mine, .of("tenant2"), .forbidden), (mine, .of(nil), .forbidden), (nobodys, .of("tenant1"), .forbidden),
                (nobodys, .of(nil), .forbidden), (hidden, .of("tenant2"), .notFound), (hidden, .of(nil), .notFound),
            ]
            for (image, caller, code) in attempts {
                #expect(await refusal { try await tables.update(image, as: caller) } == code)
                #expect(await refusal { try await tables.delete(image.id, revision: 1, as: caller) } == code)
                #expect(await refusal { try await tables.begin(image.id, attempt: "a", as: caller) } == code)
                #expect(try await tables.show(image.id) == image)
            }
            try await tables.update(mine, as: .of("tenant1"))
            try await tables.update(nobodys, as: .admin)
            try await tables.delete(hidden.id, as: .of("tenant1"))
        }
    }

    @Test("a project may give its image away, and cannot take it back", arguments: DatabaseUnderTest.all)
    func giveAway(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var image = try await tables.create(Image(id: id, visibility: .private, owner: "tenant1"))
            image.owner = "tenant2"
            image = try await tables.update(image, as: .of("tenant1"))
            #expect(image.owner == "tenant2")
            #expect(await refusal { try await tables.update(image, as: .of("tenant1")) } == .notFound)
        }
    }

    @Test("a change may move the status where the state machine goes", arguments: DatabaseUnderTest.all)
    func status(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var image = try await tables.createActive(Image(id: id))
            let data = image.locations
            for status in [ImageStatus.deactivated, .active, .active] {
                image.status = status
                image = try await tables.update(image)
                #expect(image.status == status)
                #expect(image.locations == data)
            }
            image.status = .queued
            #expect(await refusal { try await tables.update(image) } == .wrongState)
            #expect(try await tables.show(id).status == .active)
        }
    }

    @Test("properties are added, changed, removed and left alone", arguments: DatabaseUnderTest.all)
    func properties(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let steps: [[String: String?]] = [
                ["kept": "1", "changed": "1", "removed": "1", "nulled": "1", "filled": nil],
                ["kept": "1", "changed": "2", "nulled": nil, "filled": "2", "added": ""],
                ["kept": "1", "changed": "2", "nulled": nil, "filled": "2", "added": ""],
                ["nulled": nil],
                [:],
                ["removed": "again"],
            ]
            var image = try await tables.create(Image(id: id, properties: steps[0]))
            for step in steps {
                image.properties = step
                image = try await tables.update(image)
                #expect(image.properties == step)
                #expect(try await tables.show(id).properties == step)
            }
            #expect(try await tables.count("image_properties") == 1)
        }
    }

    @Test("a property that is null is shown as null, and is not one that is missing", arguments: DatabaseUnderTest.all)
    func nullProperty(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: id, properties: ["kernel_id": nil]))
            let shown = try await tables.show(id).properties
            #expect(shown.keys.sorted() == ["kernel_id"])
            #expect(shown["kernel_id"] == .some(.none))
            let empty = ImageListQuery(limit: 9, filters: [.property(name: "kernel_id", value: "")])
            #expect(try await tables.list(empty).isEmpty)
        }
    }

    @Test("tags keep the order they were given in", arguments: DatabaseUnderTest.all)
    func tags(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let many = (0..<128).map { "tag \($0 * 37 % 128)" }
            var image = try await tables.create(Image(id: id, tags: ["c", "a", "b"]))
            for tags in [["c", "a", "b"], ["c", "b"], ["c", "b", "a"], ["a", "A", ""], many, many.reversed(), []] {
                image.tags = tags
                image = try await tables.update(image)
                #expect(image.tags == tags)
                #expect(try await tables.show(id).tags == tags)
            }
        }
    }

    @Test("text comes back byte by byte, whatever it is written in", arguments: DatabaseUnderTest.all)
    func unicode(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            var texts = [
                "naïve 東京 🦅", "e\u{301}", "\u{e9}", "\"quoted\" \\back\\ {\"a\": [1]}", "\u{1}\t\n\u{7f}\u{2028}",
                "'; DROP TABLE images; --", " ", "\u{feff}bom", "\u{10ffff}",
            ]
            if subject.keepsNULInText { texts.append("a\0b") }
            for (number, text) in texts.enumerated() {
                let id = ImageID.numbered(number)
                try await tables.create(Image(id: id, name: text, owner: text, tags: [text], properties: [text: text]))
                let shown = try await tables.show(id, as: .of(text))
                let property = try #require(shown.properties.first)
                for found in [shown.name, shown.owner, shown.tags.first, property.key, property.value] {
                    #expect(found.map { Array($0.utf8) } == Array(text.utf8), "\(number)")
                }
            }
        }
    }

    @Test("two spellings of one letter are two texts, in changes too", arguments: DatabaseUnderTest.all)
    func spelling(_ subject: DatabaseUnderTest) async throws {
        let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
        func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
        try await subject.withTables { tables in
            var image = try await tables.create(
                Image(
                    id: id,
                    name: composed,
                    tags: [composed, decomposed],
                    properties: ["p": composed, composed: "v"]
                )
            )
            image.name = decomposed
            image.tags = [decomposed, composed]
            image.properties = ["p": decomposed, decomposed: "v"]
            try await tables.update(image)
            let shown = try await tables.show(id)
            #expect(shown.name.map(bytes) == bytes(decomposed))
            #expect(shown.tags.map(bytes) == [bytes(decomposed), bytes(composed)])
            #expect(shown.properties["p"].flatMap { $0 }.map(bytes) == bytes(decomposed))
            #expect(Set(shown.properties.keys.map(bytes)) == [bytes("p"), bytes(decomposed)])
            #expect(try await tables.count("image_properties") == 2)
            for (text, expected) in [(composed, 0), (decomposed, 1)] {
                for filter in [ImageFilter.text(.name, anyOf: [text]), .property(name: "p", value: text)] {
                    #expect(try await tables.list(ImageListQuery(limit: 9, filters: [filter])).count == expected)
                }
            }
        }
    }

    // MARK: Deleting

    @Test("a deleted record is gone for everybody, and its id stays taken for ever", arguments: DatabaseUnderTest.all)
    func delete(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let image = try await tables.create(full)
            try await tables.share(id, with: "tenant2", "accepted")
            #expect(try await tables.delete(id).isEmpty)
            for caller in [Caller.admin, .of("tenant1"), .of("tenant2")] {
                #expect(await refusal { try await tables.show(id, as: caller) } == .notFound)
                #expect(await refusal { try await tables.update(image, as: caller) } == .notFound)
                #expect(await refusal { try await tables.delete(id, revision: 1, as: caller) } == .notFound)
                #expect(await refusal { try await tables.begin(id, attempt: "a", as: caller) } == .notFound)
                #expect(try await tables.list(ImageListQuery(limit: 9, hidden: true), as: caller).isEmpty)
            }
            #expect(await refusal { try await tables.create(full) } == .duplicate)
            for table in ["image_properties", "image_tags", "image_members"] {
                #expect(try await tables.count(table) == 0, "\(table)")
            }
        }
    }

    @Test("deleting answers the data that has to go, claimed for who asked", arguments: DatabaseUnderTest.all)
    func deleteData(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: id, owner: "tenant1"))
            try await tables.begin(id, attempt: "a1", store: "fast")
            try await tables.finish("a1")
            let deletions = try await tables.delete(id, as: .of("tenant1"))
            #expect(deletions.count == 1)
            let first = try #require(deletions.first)
            #expect(
                first
                    == PendingDeletion(
                        id: first.id,
                        image: id,
                        store: "fast",
                        url: "file:///data/\(id)",
                        attempt: "a1",
                        identity: "inode of a1",
                        isUnfinished: false
                    )
            )
            #expect(try await tables.claim(["fast"], at: .start + 59).isEmpty)
            #expect(try await tables.claim(["fast"], at: .start + 60) == deletions)
        }
    }

    // MARK: Giving back

    @Test("a record whose data could not be deleted comes back as it was", arguments: DatabaseUnderTest.all)
    func restore(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for (number, status) in [ImageStatus.active, .deactivated].enumerated() {
                let id = ImageID.numbered(number)
                var image = full
                image.id = id
                image = try await tables.createActive(image)
                if status == .deactivated {
                    image.status = status
                    image = try await tables.update(image)
                }
                try await tables.share(id, with: "tenant2", "accepted")
                try await tables.delete(id, at: .start + 1)
                try await tables.restore(id, as: .of("tenant1"), at: .start + 2)
                image.updatedAt = .start + 2
                image.revision += 2
                #expect(try await tables.show(id) == image)
                #expect(try await tables.count("image_members WHERE image_id = ?", [.text(id.text)]) == 1)
                // Nobody deletes the data behind it.
                #expect(try await tables.claim(at: .start + 9_999).isEmpty)
                // It can be deleted, and given back, once more.
                #expect(try await tables.delete(id).count == 1)
                try await tables.restore(id)
                #expect(try await tables.show(id).status == status)
            }
        }
    }

    @Test("a record is given back to nobody else, not twice, not without its data", arguments: DatabaseUnderTest.all)
    func restoreRefused(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            #expect(await refusal { try await tables.restore(id) } == .wrongState)

            try await tables.createActive(Image(id: id, visibility: .public, owner: "tenant1"))
            #expect(await refusal { try await tables.restore(id) } == .wrongState)
            let deletions = try await tables.delete(id)
            for caller in [Caller.of("tenant2"), .of(nil)] {
                #expect(await refusal { try await tables.restore(id, as: caller) } == .wrongState)
            }
            try await tables.finishDeletions(deletions)
            #expect(await refusal { try await tables.restore(id) } == .wrongState)
            #expect(await refusal { try await tables.show(id) } == .notFound)

            let queued = ImageID.numbered(2)
            try await tables.create(Image(id: queued))
            try await tables.begin(queued, attempt: "a")
            #expect(try await tables.delete(queued).count == 1)
            #expect(await refusal { try await tables.restore(queued) } == .wrongState)

            let nobodys = ImageID.numbered(3)
            try await tables.createActive(Image(id: nobodys))
            try await tables.delete(nobodys)
            #expect(await refusal { try await tables.restore(nobodys, as: .of(nil)) } == .wrongState)
        }
    }

    @Test("once a part of its data is gone a record is not given back", arguments: DatabaseUnderTest.all)
    func restorePart(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.createActive(Image(id: id))
            try await tables.addCopy(of: id)
            let deletions = try await tables.delete(id)
            #expect(deletions.count == 2)
            try await tables.finishDeletions(Array(deletions.prefix(1)))
            #expect(await refusal { try await tables.restore(id) } == .wrongState)
            #expect(await refusal { try await tables.show(id) } == .notFound)
            #expect(try await tables.claim(at: .start + 60) == Array(deletions.suffix(1)))
        }
    }

    @Test("the bytes of a given-up attempt neither come back nor stand in the way", arguments: DatabaseUnderTest.all)
    func restoreBesideUnfinished(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: id))
            try await tables.begin(id, attempt: "a1")
            try await tables.abort("a1", isDiscarded: false)
            try await tables.execute("UPDATE image_locations SET url = 'file:///elsewhere'")
            try await tables.begin(id, attempt: "a2")
            let data = try await tables.finish("a2").locations

            try await tables.delete(id)
            try await tables.restore(id)
            #expect(try await tables.show(id).locations == data)

            #expect(try await tables.delete(id).map(\.attempt) == ["a2"])
            let unfinished = try await tables.claim(at: .start)
            #expect(unfinished.map(\.attempt) == ["a1"])
            try await tables.finishDeletions(unfinished)
            try await tables.restore(id)
            #expect(try await tables.show(id).locations == data)
        }
    }

    @Test("locations are shown in the order they came, with what their store said", arguments: DatabaseUnderTest.all)
    func locations(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: id))
            try await tables.begin(id, attempt: "a", store: "fast \"1\"")
            #expect(try await tables.show(id).locations.isEmpty)
            try await tables.finish("a")
            try await tables.addCopy(of: id)
            #expect(
                try await tables.show(id).locations == [
                    ImageLocation(url: "file:///data/\(id)", metadata: ["store": "fast \"1\""]),
                    ImageLocation(url: "file:///copy/\(id)", metadata: ["n": [1, .null]]),
                ]
            )
        }
    }
}

extension RegistryTables {
    /// A second place that has the data of an image.
    func addCopy(of id: ImageID) async throws {
        try await execute(
            """
            INSERT INTO image_locations (image_id, url, metadata, store, state, attempt, unfinished, created_at)
            VALUES (?, ?, '{"n": [1, null]}', '', 'live', ?, 0, 0)
            """,
            [.text(id.text), .text("file:///copy/\(id)"), .text("copy of \(id)")]
        )
    }
}
