import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// The projects with which images are shared (Image API v2, "Members"). What membership opens in lists is in
/// ``ImageListTests``.
@Suite("Member table")
struct MemberTableTests {
    private let id = ImageID.numbered(1)
    private let owner = Caller.of("owner")

    private func withShared(_ subject: DatabaseUnderTest, _ body: (RegistryTables) async throws -> Void) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: id, visibility: .shared, owner: "owner"))
            try await body(tables)
        }
    }

    // MARK: Adding

    @Test("a new member is pending, finds the image, and leaves its record alone", arguments: DatabaseUnderTest.all)
    func add(_ subject: DatabaseUnderTest) async throws {
        try await withShared(subject) { tables in
            let before = try await tables.show(id)
            #expect(await refusal { try await tables.show(id, as: .of("b")) } == .notFound)
            let member = try await tables.add("b", to: id, as: owner, at: .start + 5)
            #expect(member == ImageMember(image: id, member: "b", createdAt: .start + 5, updatedAt: .start + 5))
            #expect(member.status == .pending)
            #expect(try await tables.members(of: id) == [member])
            #expect(try await tables.show(id, as: .of("b")) == before)
        }
    }

    @Test("a project is a member once, and names are compared byte by byte", arguments: DatabaseUnderTest.all)
    func duplicate(_ subject: DatabaseUnderTest) async throws {
        try await withShared(subject) { tables in
            try await tables.add("b", to: id)
            try await tables.answer(.accepted, as: "b", of: id)
            #expect(await refusal { try await tables.add("b", to: id) } == .duplicate)
            #expect(try await tables.member("b", of: id)?.status == .accepted)
            for name in ["B", "b ", "\u{E9}", "e\u{301}"] { try await tables.add(name, to: id) }
            #expect(try await tables.members(of: id).count == 5)
        }
    }

    @Test("the quota is a number of members of one image; a negative one is none", arguments: DatabaseUnderTest.all)
    func quota(_ subject: DatabaseUnderTest) async throws {
        try await withShared(subject) { tables in
            try await tables.create(Image(id: .numbered(2), visibility: .shared, owner: "owner"))
            try await tables.add("elsewhere", to: .numbered(2))
            #expect(await refusal { try await tables.add("b", to: id, quota: 0) } == .limitExceeded)
            try await tables.add("b", to: id, quota: 2)
            try await tables.add("c", to: id, quota: 2)
            #expect(await refusal { try await tables.add("d", to: id, quota: 2) } == .limitExceeded)
            // There is no room for a member that is there already, either.
            #expect(await refusal { try await tables.add("b", to: id, quota: 2) } == .limitExceeded)
            try await tables.remove("b", from: id)
            try await tables.add("d", to: id, quota: 2)
            try await tables.add("e", to: id, quota: -1)
        }
    }

    @Test("of many that are added at once the quota lets exactly as many in as fit", arguments: DatabaseUnderTest.all)
    func concurrentAdditions(_ subject: DatabaseUnderTest) async throws {
        try await withShared(subject) { tables in
            let added = await withTaskGroup(of: Int.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        let answer = await refusal { try await tables.add("p\(number)", to: id, quota: 7) }
                        #expect(answer == nil || answer == .limitExceeded)
                        return answer == nil ? 1 : 0
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(added == 7)
            let members = try await tables.count("image_members")
            #expect(members == 7)
        }
    }

    // MARK: Seeing

    @Test("owner and administrators see all members, a member itself alone", arguments: DatabaseUnderTest.all)
    func visibility(_ subject: DatabaseUnderTest) async throws {
        try await withShared(subject) { tables in
            for (seconds, name) in ["c", "a", "b"].enumerated() {
                try await tables.add(name, to: id, at: .start + Int64(seconds))
            }
            for caller in [owner, .admin, Caller(isAdmin: true)] {
                #expect(try await tables.members(of: id, as: caller).map(\.member) == ["c", "a", "b"])
                #expect(try await tables.member("b", of: id, as: caller)?.member == "b")
                #expect(try await tables.member("nobody", of: id, as: caller) == nil)
            }
            #expect(try await tables.members(of: id, as: .of("a")).map(\.member) == ["a"])
            #expect(try await tables.member("a", of: id, as: .of("a"))?.member == "a")
            #expect(try await tables.member("b", of: id, as: .of("a")) == nil)
            for caller in [Caller.of("other"), .of(nil)] {
                #expect(await refusal { try await tables.members(of: id, as: caller) } == .notFound)
                #expect(await refusal { try await tables.member("a", of: id, as: caller) } == .notFound)
            }
        }
    }

    @Test("who owns nothing is no owner of what nobody owns", arguments: DatabaseUnderTest.all)
    func withoutOwner(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(Image(id: id, visibility: .shared))
            try await tables.add("b", to: id)
            #expect(try await tables.members(of: id, as: .of(nil)) == [])
            #expect(await refusal { try await tables.add("c", to: id, as: .of(nil)) } == .forbidden)
            #expect(await refusal { try await tables.answer(.accepted, as: "b", of: id, by: .of(nil)) } == .notFound)
        }
    }

    // MARK: Answering

    @Test("any answer may follow any other, and changes its own row alone", arguments: DatabaseUnderTest.all)
    func answer(_ subject: DatabaseUnderTest) async throws {
        try await withShared(subject) { tables in
            let bystander = try await tables.add("c", to: id)
            let added = try await tables.add("b", to: id)
            var seconds: Int64 = 0
            for first in MemberStatus.allCases {
                for second in MemberStatus.allCases {
                    for status in [first, second] {
                        seconds += 1
                        let answered = try await tables.answer(
                            status,
                            as: "b",
                            of: id,
                            by: .of("b"),
                            at: .start + seconds
                        )
                        var expected = added
                        expected.status = status
                        expected.updatedAt = .start + seconds
                        #expect(answered == expected)
                        #expect(try await tables.member("b", of: id) == expected)
                        // Rejecting takes nothing away but the row in default lists.
                        #expect(try await tables.show(id, as: .of("b")).id == id)
                    }
                }
            }
            #expect(try await tables.member("c", of: id) == bystander)
            #expect(await refusal { try await tables.answer(.accepted, as: "c", of: id, by: .of("b")) } == .notFound)
            #expect(await refusal { try await tables.answer(.accepted, as: "nobody", of: id) } == .notFound)
        }
    }

    // MARK: Removing

    @Test("a removed member is gone, and comes back as a new one", arguments: DatabaseUnderTest.all)
    func remove(_ subject: DatabaseUnderTest) async throws {
        try await withShared(subject) { tables in
            try await tables.add("b", to: id)
            try await tables.answer(.accepted, as: "b", of: id)
            try await tables.remove("b", from: id, as: owner)
            #expect(try await tables.count("image_members") == 0)
            #expect(await refusal { try await tables.show(id, as: .of("b")) } == .notFound)
            #expect(await refusal { try await tables.remove("b", from: id) } == .notFound)
            let again = try await tables.add("b", to: id, at: .start + 9)
            #expect(again == ImageMember(image: id, member: "b", createdAt: .start + 9, updatedAt: .start + 9))
        }
    }

    @Test("nothing is left of the members of a deleted image", arguments: DatabaseUnderTest.all)
    func deletedImage(_ subject: DatabaseUnderTest) async throws {
        try await withShared(subject) { tables in
            try await tables.add("b", to: id)
            try await tables.delete(id)
            #expect(try await tables.count("image_members") == 0)
            #expect(await refusal { try await tables.members(of: id) } == .notFound)
            #expect(await refusal { try await tables.add("c", to: id, revision: 2) } == .notFound)
        }
    }

    // MARK: Whatever policy said

    @Test("members are added and removed by the owner and by administrators only", arguments: DatabaseUnderTest.all)
    func foreignWrites(_ subject: DatabaseUnderTest) async throws {
        try await withShared(subject) { tables in
            try await tables.add("b", to: id)
            #expect(await refusal { try await tables.add("c", to: id, as: .of("b")) } == .forbidden)
            #expect(await refusal { try await tables.remove("b", from: id, as: .of("b")) } == .forbidden)
            #expect(await refusal { try await tables.add("c", to: id, as: .of("other")) } == .notFound)
            #expect(await refusal { try await tables.remove("b", from: id, as: .of("other")) } == .notFound)
            #expect(try await tables.members(of: id).map(\.member) == ["b"])
        }
    }

    @Test("a write that was decided on another revision is not done", arguments: DatabaseUnderTest.all)
    func changedMeanwhile(_ subject: DatabaseUnderTest) async throws {
        try await withShared(subject) { tables in
            try await tables.add("b", to: id)
            var image = try await tables.show(id)
            image.name = "new"
            try await tables.update(image)
            #expect(await refusal { try await tables.add("c", to: id) } == .changedMeanwhile)
            #expect(await refusal { try await tables.answer(.accepted, as: "b", of: id) } == .changedMeanwhile)
            #expect(await refusal { try await tables.remove("b", from: id) } == .changedMeanwhile)
            #expect(try await tables.members(of: id).map(\.status) == [.pending])
            try await tables.answer(.accepted, as: "b", of: id, revision: 2)
        }
    }

    @Test("only a shared image's members change; they come back with its visibility", arguments: DatabaseUnderTest.all)
    func notShared(_ subject: DatabaseUnderTest) async throws {
        try await withShared(subject) { tables in
            try await tables.add("b", to: id)
            for visibility in [Visibility.private, .community, .public] {
                var image = try await tables.show(id)
                image.visibility = visibility
                let revision = try await tables.update(image).revision
                #expect(await refusal { try await tables.add("c", to: id, revision: revision) } == .forbidden)
                #expect(await refusal { try await tables.remove("b", from: id, revision: revision) } == .forbidden)
                let answer = await refusal { try await tables.answer(.rejected, as: "b", of: id, revision: revision) }
                #expect(answer == .forbidden)
                let member = await refusal { try await tables.show(id, as: .of("b")) }
                #expect(member == (visibility == .private ? .notFound : nil))
            }
            var image = try await tables.show(id)
            image.visibility = .shared
            try await tables.update(image)
            #expect(try await tables.show(id, as: .of("b")).visibility == .shared)
            #expect(try await tables.members(of: id).map(\.status) == [.pending])
        }
    }

    // MARK: What it costs

    @Test("statements do not grow with the members", arguments: DatabaseUnderTest.all)
    func statements(_ subject: DatabaseUnderTest) async throws {
        try await withShared(subject) { tables in
            let image = id
            for size in [1, 100] {
                for number in 0..<size { try await tables.share(image, with: "p\(number)", "pending") }
                let counts = try await tables.database.write { connection in
                    let bodies: [(any SQLConnection) throws -> Void] = [
                        { _ = try MemberTable($0).list(of: image, visibleTo: .admin) },
                        { _ = try MemberTable($0).show("p0", of: image, visibleTo: .admin) },
                        {
                            let addition = AddMember(Membership(image: image, revision: 1, member: "new"), quota: 128)
                            _ = try MemberTable($0).add(addition, as: .admin, at: .start)
                        },
                        {
                            let change = UpdateMember(
                                Membership(image: image, revision: 1, member: "new"),
                                status: .accepted
                            )
                            _ = try MemberTable($0).update(change, as: .admin, at: .start)
                        },
                        {
                            let removal = RemoveMember(Membership(image: image, revision: 1, member: "new"))
                            try MemberTable($0).remove(removal, as: .admin)
                        },
                    ]
                    return try bodies.map { body in
                        let recording = RecordingConnection(connection)
                        try body(recording)
                        return recording.statements.count
                    }
                }
                #expect(counts == [2, 2, 4, 3, 3])
            }
        }
    }
}
