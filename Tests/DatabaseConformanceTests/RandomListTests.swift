import ImageModel
import RegistryDatabase
import Testing

/// However a list finds its images, it shows what looking at every one of them shows.
@Suite("Random lists")
struct RandomListTests {
    private static let owners = [nil, "tenant1", "tenant2", "tenant3"]
    private static let callers = [
        Caller.admin, Caller(isAdmin: true), .of("tenant1"), .of("tenant2"), .of("x"), .of(nil),
    ]
    private static let names = [nil, "", "a", "B", "deb", "debian", "debian-1", "é", "z\u{10ffff}"]
    private static let tags = ["x", "y", "lts", "LTS"]
    private static let long = String(repeating: "é", count: 255)
    private static let values = ["debian", "ubuntu", "", "9.10", "22.04", "100", long, long + "1", long + "2"]

    /// Deleted ones, too, which the answer leaves out.
    private func fill(_ tables: RegistryTables, _ random: inout SeededGenerator) async throws -> PlainList {
        var plain = PlainList(images: [], members: [:])
        for number in (0..<150).shuffled(using: &random) {
            let id = ImageID.numbered(number)
            var image = Image(
                id: id,
                name: Self.names.randomElement(using: &random) ?? nil,
                visibility: Visibility.allCases.randomElement(using: &random) ?? .shared,
                protected: Bool.random(using: &random),
                hidden: Int.random(in: 0..<8, using: &random) == 0,
                owner: Self.owners.randomElement(using: &random) ?? nil,
                diskFormat: [nil, "raw", "qcow2"].randomElement(using: &random) ?? nil,
                minRAM: Int64.random(in: 0..<3, using: &random),
                tags: Self.tags.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
            )
            for property in ["os", "v"] where Bool.random(using: &random) {
                image.properties[property] = .some(Int.random(in: 0..<6, using: &random) == 0 ? nil : value(&random))
            }
            try await tables.create(image, at: .start + Int64.random(in: 0..<40, using: &random))
            try await change(id, tables, &random)
            let status = ["active", "active", "queued", "killed"].randomElement(using: &random) ?? "active"
            try await tables.execute(
                "UPDATE images SET status = ?, size = ?, updated_at = updated_at + ? WHERE id = ?",
                [
                    .text(status), SQLValue([nil, 0, 7].randomElement(using: &random) ?? Int64?.none),
                    .integer(Int64.random(in: 0..<3, using: &random)), .text(id.text),
                ]
            )
            for member in ["tenant1", "tenant2", "x"] where Int.random(in: 0..<3, using: &random) == 0 {
                let answer = ["pending", "accepted", "rejected"].randomElement(using: &random) ?? "pending"
                try await tables.share(id, with: member, answer)
                plain.members[id, default: [:]][member] = answer
            }
            if Int.random(in: 0..<10, using: &random) == 0, status == "queued" {
                try await tables.delete(id)
            } else {
                plain.images.append(try await tables.show(id))
            }
        }
        return plain
    }

    /// Gives some images other tags, owners and visibilities than they had at first, as this registry writes them or another.
    private func change(_ id: ImageID, _ tables: RegistryTables, _ random: inout SeededGenerator) async throws {
        let visibility = Visibility.allCases.randomElement(using: &random) ?? .shared
        let owner = Self.owners.randomElement(using: &random) ?? nil
        let tag = Self.tags.randomElement(using: &random) ?? "x"
        switch Int.random(in: 0..<8, using: &random) {
        case 0...2:
            var image = try await tables.show(id)
            (image.visibility, image.owner) = (visibility, owner)
            if Bool.random(using: &random) { image.tags = [tag] }
            try await tables.update(image)
        case 3:
            try await tables.execute(
                "UPDATE images SET owner = ?, visibility = ? WHERE id = ?",
                [SQLValue(owner), .text(visibility.rawValue), .text(id.text)]
            )
        case 4:
            try await tables.execute(
                "INSERT INTO image_tags (image_id, value, position) VALUES (?, ?, 9) ON CONFLICT (image_id, value) DO NOTHING",
                [.text(id.text), .text(tag)]
            )
        default: break
        }
    }

    private func value(_ random: inout SeededGenerator) -> String { Self.values.randomElement(using: &random) ?? "" }

    private func filter(_ random: inout SeededGenerator) -> ImageFilter {
        let name = (Self.names.randomElement(using: &random) ?? nil) ?? "a"
        let tag = Self.tags.randomElement(using: &random) ?? "x"
        let property = ["os", "v", "nobody"].randomElement(using: &random) ?? "os"
        let order = ImageCondition.Order.allCases.randomElement(using: &random) ?? .less
        let number = Int64.random(in: 0..<3, using: &random)
        let filters: [ImageFilter] = [
            .tag(tag), .tag(tag), .property(name: property, value: value(&random)),
            .property(name: property, value: value(&random)), .text(.name, anyOf: [name]),
            .text(.name, anyOf: [name, "a", ""]),
            .text(.owner, anyOf: [["tenant1", "tenant2"].randomElement(using: &random) ?? ""]),
            .text(.owner, anyOf: ["tenant1", "tenant3"]), .text(.status, anyOf: ["active"]),
            .text(.id, anyOf: (0..<40).map { _ in ImageID.numbered(Int.random(in: 0..<150, using: &random)).text }),
            .protected(Bool.random(using: &random)), .bound(.size, .atLeast, number), .integer(.minRAM, equals: number),
            .condition(ImageCondition(.text(.name), .prefix(name.isEmpty ? "d" : name))),
            .condition(ImageCondition(.text(.name), .noneOf([name, "debian"]))),
            .condition(ImageCondition(.text(.name), .order(order, name))),
            .condition(ImageCondition(.text(.id), .prefix("00000000-0000-4000-8000-00000000000"))),
            .condition(ImageCondition(.tag, .anyOf([tag, "lts", "nobody"]))),
            .condition(ImageCondition(.tag, .noneOf([tag, "lts"]))),
            .condition(ImageCondition(.tag, .prefix(String(tag.prefix(1))))),
            .condition(ImageCondition(.tag, .exists(Bool.random(using: &random)))),
            .condition(ImageCondition(.property(property), .anyOf([value(&random), value(&random), "ubuntu"]))),
            .condition(ImageCondition(.property(property), .noneOf([value(&random)]))),
            .condition(
                ImageCondition(
                    .property(property),
                    .prefix(["de", "2", Self.long].randomElement(using: &random) ?? "d")
                )
            ),
            .condition(ImageCondition(.property(property), .order(order, value(&random)))),
            .condition(ImageCondition(.property(property), .exists(Bool.random(using: &random)))),
        ]
        return filters.randomElement(using: &random) ?? .nothing
    }

    /// As a client's request has it, or in directions that differ.
    private func order(_ random: inout SeededGenerator) -> [ImageSort] {
        let key =
            [.name, .createdAt, ImageSort.Key.allCases.randomElement(using: &random) ?? .size]
            .randomElement(using: &random) ?? .name
        let isMixed = Int.random(in: 0..<4, using: &random) == 0
        let direction = ImageSort.Direction.allCases.randomElement(using: &random) ?? .ascending
        let other = direction == .ascending ? ImageSort.Direction.descending : .ascending
        let order = [
            ImageSort(key, direction), ImageSort(.createdAt, isMixed ? other : direction), ImageSort(.id, direction),
        ]
        return order.enumerated().filter { $0 == 0 || $1.key != key }.map(\.element)
    }

    private func query(_ random: inout SeededGenerator) -> ImageListQuery {
        let visibilities: [VisibilityFilter] =
            [.unspecified, .unspecified, .unspecified, .all] + Visibility.allCases.map { .only($0) }
        // Such lists have walks of their own.
        let isByTag = Int.random(in: 0..<3, using: &random) == 0
        let tags: [ImageFilter] = isByTag ? [.tag(Self.tags.randomElement(using: &random) ?? "x")] : []
        let count = isByTag ? [0, 0, 1, 2].randomElement(using: &random) ?? 0 : Int.random(in: 0..<4, using: &random)
        let direction = ImageSort.Direction.allCases.randomElement(using: &random) ?? .ascending
        return ImageListQuery(
            limit: [1, 4, 9, 200].randomElement(using: &random) ?? 9,
            sort: isByTag ? [ImageSort(.createdAt, direction), ImageSort(.id, direction)] : order(&random),
            filters: ((0..<count).map { _ in filter(&random) } + tags).shuffled(using: &random),
            visibility: visibilities.randomElement(using: &random) ?? .all,
            memberStatus: MemberStatusFilter.allCases.randomElement(using: &random) ?? .accepted,
            hidden: Int.random(in: 0..<8, using: &random) == 0
        )
    }

    /// Walks from page to page until one is empty.
    private func walk(
        _ tables: RegistryTables,
        _ query: ImageListQuery,
        _ caller: Caller,
        rareCount: Int
    ) async throws -> [ImageID] {
        var query = query
        var visited: [ImageID] = []
        while visited.count < 1_000 {
            let asked = query
            let page = try await tables.database.read { connection in
                try ImageTable(connection, rareCount: rareCount).list(asked, visibleTo: caller)
            }
            visited += page.map(\.id)
            guard let last = page.last else { return visited }
            #expect(page.count <= query.limit)
            query.marker = last.id
        }
        return visited
    }

    @Test("every list shows what it must, page by page, whatever is rare", arguments: DatabaseUnderTest.all)
    func randomLists(_ subject: DatabaseUnderTest) async throws {
        var random = SeededGenerator()
        let hint = "TEST_SEED=\(SeededGenerator.seed)"
        var shown = 0
        try await subject.withTables { tables in
            let plain = try await fill(tables, &random)
            for number in 0..<500 {
                let query = query(&random)
                let caller = Self.callers.randomElement(using: &random) ?? .admin
                let rareCount = [0, 5, 500, 4_000].randomElement(using: &random) ?? 0
                let expected = plain.list(query, as: caller).map(\.id)
                let visited = try await walk(tables, query, caller, rareCount: rareCount)
                #expect(
                    visited == expected,
                    "\(hint), list \(number), up to \(rareCount) are few: \(query) as \(caller.project ?? "nobody")"
                )
                shown += visited.count
            }
        }
        #expect(shown > 1_000, "\(hint): the lists show too little to prove anything")
    }
}
