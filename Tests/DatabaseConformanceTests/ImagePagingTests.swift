import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// The order of lists, and pages that begin behind a marker.
@Suite("Image paging")
struct ImagePagingTests {
    /// Images whose fields take so few values, null among them, that most of them are equal.
    private func makeMany(_ tables: RegistryTables, _ random: inout SeededGenerator) async throws -> [Image] {
        var images: [Image] = []
        for number in (0..<60).shuffled(using: &random) {
            let id = ImageID.numbered(number)
            let image = Image(
                id: id,
                name: [nil, "", "a", "B", "b", "é", "z\u{10ffff}"].randomElement(using: &random) ?? nil,
                visibility: .public,
                owner: [nil, "tenant1", "tenant2"].randomElement(using: &random) ?? nil,
                containerFormat: [nil, "bare", "ovf"].randomElement(using: &random) ?? nil,
                diskFormat: [nil, "raw", "qcow2"].randomElement(using: &random) ?? nil
            )
            try await tables.create(image, at: .start + Int64.random(in: 0..<3, using: &random))
            let size: Int64? = [nil, 0, 1, 7, .max].randomElement(using: &random) ?? nil
            let status = ["active", "queued"].randomElement(using: &random) ?? "active"
            let updatedAt = Timestamp.start + Int64.random(in: 0..<3, using: &random)
            try await tables.execute(
                "UPDATE images SET size = ?, status = ?, updated_at = ? WHERE id = ?",
                [SQLValue(size), .text(status), .integer(updatedAt.microseconds), .text(id.text)]
            )
            images.append(try await tables.show(id))
        }
        return images
    }

    /// Walks from page to page until one is empty.
    private func walk(_ tables: RegistryTables, _ query: ImageListQuery, as caller: Caller) async throws -> [Image] {
        var query = query
        var visited: [Image] = []
        while visited.count < 1_000 {
            let page = try await tables.list(query, as: caller)
            guard let last = page.last else { return visited }
            #expect(page.count <= query.limit)
            visited += page
            query.marker = last.id
        }
        return visited
    }

    /// Every key in both directions with what a client's request is completed by, and some mixtures.
    private func orders(_ random: inout SeededGenerator) -> [[ImageSort]] {
        var orders: [[ImageSort]] = []
        for key in ImageSort.Key.allCases {
            for direction in ImageSort.Direction.allCases {
                let order = [ImageSort(key, direction), ImageSort(.createdAt, direction), ImageSort(.id, direction)]
                orders.append(order.enumerated().filter { $0 == 0 || $1.key != key }.map(\.element))
            }
        }
        for _ in 0..<12 {
            let keys = ImageSort.Key.allCases.filter { $0 != .id }.shuffled(using: &random)
            let chosen = keys.prefix(Int.random(in: 1...4, using: &random)) + [.id]
            orders.append(chosen.map { ImageSort($0, Bool.random(using: &random) ? .ascending : .descending) })
        }
        return orders
    }

    @Test("a caller without a project pages through what is shared with others too", arguments: DatabaseUnderTest.all)
    func pagesOfNobody(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for number in 1...6 {
                let visibility: Visibility = number.isMultiple(of: 2) ? .shared : .public
                try await tables.create(Image(id: .numbered(number), visibility: visibility, owner: "tenant1"))
            }
            for number in [2, 4] { try await tables.share(.numbered(number), with: "tenant2", "accepted") }
            let query = ImageListQuery(limit: 1, sort: [ImageSort(.id, .ascending)])
            let visited = try await walk(tables, query, as: .of(nil))
            #expect(visited.map(\.id) == [1, 2, 3, 4, 5].map(ImageID.numbered))
            var behind = query
            behind.marker = .numbered(6)
            let unseen = behind
            let error = await #expect(throws: RegistryError.self) { try await tables.list(unseen, as: .of(nil)) }
            #expect(error?.field == "marker")
        }
    }

    @Test("pages show every image exactly once and in order, however many are equal", arguments: DatabaseUnderTest.all)
    func pages(_ subject: DatabaseUnderTest) async throws {
        var random = SeededGenerator()
        let hint = "TEST_SEED=\(SeededGenerator.seed)"
        try await subject.withTables { tables in
            let images = try await makeMany(tables, &random)
            for order in orders(&random) {
                let expected = images.sorted { ListOrder.precedes($0, $1, by: order) }
                for limit in [1_000, 7, 1] {
                    let query = ImageListQuery(limit: limit, sort: order)
                    let visited = try await walk(tables, query, as: limit == 7 ? .of("tenant1") : .admin)
                    let names = order.map { "\($0.key) \($0.direction)" }
                    #expect(visited.map(\.id) == expected.map(\.id), "\(hint), pages of \(limit) by \(names)")
                }
            }
        }
    }

    @Test("pages go on behind the marker when filters leave images out", arguments: DatabaseUnderTest.all)
    func filteredPages(_ subject: DatabaseUnderTest) async throws {
        var random = SeededGenerator()
        let hint = "TEST_SEED=\(SeededGenerator.seed)"
        try await subject.withTables { tables in
            let images = try await makeMany(tables, &random)
            let order = [ImageSort(.size, .ascending), ImageSort(.createdAt, .ascending), ImageSort(.id, .ascending)]
            let expected = images.filter { $0.owner == "tenant1" }.sorted { ListOrder.precedes($0, $1, by: order) }
            let query = ImageListQuery(limit: 3, sort: order, filters: [.text(.owner, anyOf: ["tenant1"])])
            #expect(try await walk(tables, query, as: .of("tenant2")).map(\.id) == expected.map(\.id), "\(hint)")
        }
    }

    @Test("the newest come first when no order is asked for", arguments: DatabaseUnderTest.all)
    func defaultOrder(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for (number, seconds) in [(1, 5), (2, 0), (3, 5), (4, 9)] {
                try await tables.create(Image(id: .numbered(number)), at: .start + Int64(seconds))
            }
            #expect(try await tables.list(ImageListQuery(limit: 9)).map(\.id) == [4, 3, 1, 2].map(ImageID.numbered))
        }
    }

    @Test("a page holds no more than was asked for, and none is a page", arguments: DatabaseUnderTest.all)
    func limits(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for number in 0..<3 { try await tables.create(Image(id: .numbered(number))) }
            for (limit, count) in [(0, 0), (1, 1), (3, 3), (4, 3), (.max, 3)] {
                #expect(try await tables.list(ImageListQuery(limit: limit)).count == count)
            }
        }
    }

    // MARK: Markers

    private func answer(
        to marker: ImageID,
        _ caller: Caller,
        _ tables: RegistryTables,
        limit: Int = 9,
        visibility: VisibilityFilter = .unspecified,
        filters: [ImageFilter] = []
    ) async throws -> Result<[ImageID], RegistryError> {
        do {
            let query = ImageListQuery(limit: limit, marker: marker, filters: filters, visibility: visibility)
            return .success(try await tables.list(query, as: caller).map(\.id))
        } catch let error as RegistryError {
            return .failure(error)
        }
    }

    @Test("a marker must be an image that its caller may see, for an empty page too", arguments: DatabaseUnderTest.all)
    func markers(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let (mine, theirs, unknown) = (ImageID.numbered(1), ImageID.numbered(2), ImageID.numbered(99))
            try await tables.create(Image(id: mine, visibility: .private, owner: "tenant1"), at: .start + 1)
            try await tables.create(Image(id: theirs, visibility: .private, owner: "tenant2"), at: .start + 2)
            func unfound(_ id: ImageID) -> Result<[ImageID], RegistryError> {
                .failure(RegistryError(.invalid, "No image found with ID \(id)", field: "marker"))
            }
            let mineOnly = Caller.of("tenant1")
            #expect(try await answer(to: mine, mineOnly, tables) == .success([]))
            #expect(try await answer(to: theirs, .admin, tables) == .success([mine]))
            #expect(try await answer(to: theirs, mineOnly, tables) == unfound(theirs))
            for caller in [Caller.admin, mineOnly] {
                #expect(try await answer(to: unknown, caller, tables) == unfound(unknown))
                #expect(try await answer(to: unknown, caller, tables, limit: 0) == unfound(unknown))
                #expect(try await answer(to: unknown, caller, tables, visibility: .nothing) == unfound(unknown))
                #expect(try await answer(to: unknown, caller, tables, filters: [.nothing]) == unfound(unknown))
                #expect(try await answer(to: mine, caller, tables, limit: 0) == .success([]))
            }
        }
    }

    @Test("a marker need not be in the list itself", arguments: DatabaseUnderTest.all)
    func markerOutsideList(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let (first, second, third) = (ImageID.numbered(1), ImageID.numbered(2), ImageID.numbered(3))
            try await tables.create(Image(id: first, visibility: .public, owner: "tenant1"), at: .start)
            // Open to everybody by its id, and listed to nobody but administrators.
            try await tables.create(Image(id: second, visibility: .private), at: .start + 1)
            try await tables.create(Image(id: third, visibility: .public, owner: "tenant1"), at: .start + 2)
            #expect(try await answer(to: second, .of("tenant2"), tables) == .success([first]))
            let filters = [ImageFilter.text(.id, anyOf: [first.text])]
            #expect(try await answer(to: third, .of("tenant2"), tables, filters: filters) == .success([first]))
        }
    }

    @Test("administrators may begin behind an image that is deleted, others may not", arguments: DatabaseUnderTest.all)
    func deletedMarker(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let ids = (1...4).map(ImageID.numbered)
            for (seconds, id) in ids.enumerated() {
                try await tables.create(
                    Image(id: id, visibility: .public, owner: "tenant1"),
                    at: .start + Int64(seconds)
                )
            }
            try await tables.delete(ids[2])
            #expect(try await answer(to: ids[2], .admin, tables) == .success([ids[1], ids[0]]))
            for caller in [Caller.of("tenant1"), .of("tenant2"), .of(nil)] {
                let refused = RegistryError(.invalid, "No image found with ID \(ids[2])", field: "marker")
                #expect(try await answer(to: ids[2], caller, tables) == .failure(refused))
            }
        }
    }
}
