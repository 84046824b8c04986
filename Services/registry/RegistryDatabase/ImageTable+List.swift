package import ImageModel
internal import RegistryContract

extension ImageTable {
    /// One page, in one statement: conditions, order and limit are the database's work. Before it, the marker is looked up
    /// where there is one, and where there is a choice of ways to the images, how many there are on each.
    ///
    /// For tests, which hold the text that is served (``write(_:visibleTo:to:)``) against it.
    ///
    /// - Throws: `invalid` when the marker is no image that the caller may see.
    package func list(_ query: ImageListQuery, visibleTo caller: Caller) throws -> [Image] {
        try list(query, visibleTo: caller, Self.image(from:))
    }

    func list<Record>(
        _ query: ImageListQuery,
        visibleTo caller: Caller,
        _ record: (any SQLRow) throws -> Record
    ) throws -> [Record] {
        guard !query.sort.isEmpty else { throw RegistryError(.malformed, "A list needs an order", field: "sort") }
        let marker = try query.marker.map { try markerRow($0, query, caller) }
        guard query.limit > 0, query.visibility != .nothing, !query.filters.contains(.nothing) else { return [] }
        let statement = ImageListStatement(
            try walks(query, caller),
            order: query.sort,
            after: marker,
            limit: query.limit,
            connection.dialect
        )
        guard let statement else { return [] }
        if statement.hasOnePlan { connection.planOnce() }
        return try connection.query(statement.sql, statement.values, record)
    }

    /// Where the images of a list are looked for: among those that have what a filter asks for, where these are few or
    /// lie in the order of the list; among those that the caller sees otherwise.
    private func walks(_ query: ImageListQuery, _ caller: Caller) throws -> [ImageWalk] {
        guard let rows = try rows(query, caller) else {
            let eachAlone = query.sort.isByCreation || query.sort.isByName
            return ImageWalk.audience(of: query, caller, connection.dialect).map { walk in
                var walk = walk
                walk.condition.add(condition(of: query, on: walk.rows, eachAlone: eachAlone))
                walk.isUnordered = query.filters.contains(where: \.leadsAstray)
                walk.isTheOnlyWay = eachAlone && query.leavesTheOrder(for: caller)
                return walk
            }
        }
        var walk = ImageWalk(rows)
        // Of two tags or properties either could lead.
        let isOnlyLead = rows.exactly != nil && query.filters.count(where: \.isOfOtherRows) == 1
        walk.isTheOnlyWay = isOnlyLead && query.leavesTheOrder(for: caller)
        walk.condition.add(condition(of: query, on: rows, eachAlone: false))
        walk.condition.add(ImageWalk.restriction(query, caller))
        return [walk]
    }

    /// What is asked of each image that is met. What the rows have decided is not asked again: PostgreSQL would join the
    /// same table twice.
    private func condition(of query: ImageListQuery, on rows: ImageRows?, eachAlone: Bool) -> SQLCondition {
        var condition = SQLCondition("i.deleted_at IS NULL AND i.status <> 'killed'")
        condition.add("i.os_hidden = ?", SQLValue(query.hidden))
        let decided = rows?.exactly == nil ? nil : rows?.filter
        for (place, filter) in query.filters.enumerated() where place != decided {
            filter.add(to: &condition, on: rows, connection.dialect, eachAlone: eachAlone)
        }
        return condition
    }

    /// Of how many filters the rows are counted.
    private static let maximumCandidates = 8

    /// The rows by which the images are found best; `nil` where they are met best without.
    ///
    /// No database's statistics are needed for that: the index tells how many rows there are, and the count ends at a
    /// few thousand. Where there are more on every way, images that pass are met soon whatever the order.
    private func rows(_ query: ImageListQuery, _ caller: Caller) throws -> ImageRows? {
        let candidates = query.filters.enumerated().compactMap { place, filter in
            var rows = ImageRows(filter, connection.dialect)
            rows?.filter = place
            return rows
        }.prefix(Self.maximumCandidates)
        guard candidates.contains(where: { !$0.areImages }) else { return nil }
        let isOrdered = caller.isAdmin && query.sort.isByCreation
        if isOrdered, candidates.count == 1, candidates[0].areInOrderOfCreation { return candidates[0] }
        if candidates.count == 1, query.leadingTag(for: caller) != nil, try sharesFew(query, caller) { return nil }
        let counts = try count(candidates, upTo: rareCount + 1)
        guard let (rarest, count) = zip(candidates, counts).min(by: { $0.1 < $1.1 }) else { return nil }
        if count <= rareCount { return rarest.areImages ? nil : rarest }
        // Of two properties that are both common nothing tells which is the rarer; either walks in order.
        return isOrdered ? candidates.first(where: \.areInOrderOfCreation) : nil
    }

    /// Whether so little is shared with the caller that all of it may be looked through for a tag, however rare that is.
    private func sharesFew(_ query: ImageListQuery, _ caller: Caller) throws -> Bool {
        let memberships = ImageWalk.memberships(in: query, caller)[...]
        let few = Int64(rareCount / 40)
        return try memberships.isEmpty || count(memberships, upTo: Int(few) + 1).reduce(0, +) <= few
    }

    private func count(_ candidates: ArraySlice<ImageRows>, upTo limit: Int) throws -> [Int64] {
        let counts = candidates.enumerated().map { number, rows in
            "(SELECT count(*) FROM (SELECT 1 FROM \(rows.source.sql) WHERE \(rows.condition.sql) LIMIT ?) c\(number))"
        }
        let values = candidates.flatMap { $0.source.values + $0.condition.values + [.integer(Int64(limit))] }
        let row = try connection.first("SELECT \(counts.joined(separator: ", "))", values) { row in
            candidates.indices.map(row.integer)
        }
        return row ?? []
    }

    /// The sort columns of the image after which a page begins. Administrators may begin after a deleted one.
    private func markerRow(_ id: ImageID, _ query: ImageListQuery, _ caller: Caller) throws -> [SQLValue] {
        let sort = query.sort
        let visible = markers(of: query, caller)
        let rows = try connection.query(
            "SELECT \(sort.map(\.expression).joined(separator: ", ")) FROM images i WHERE i.id = ? AND \(visible.sql)",
            [.text(id.text)] + visible.values
        ) { row in
            sort.enumerated().map { column, sort in
                sort.isNumeric ? SQLValue.integer(row.integer(column)) : .text(row.text(column))
            }
        }
        guard let row = rows.first else {
            throw RegistryError(.invalid, "No image found with ID \(id)", field: "marker")
        }
        return row
    }

    /// Behind which images a page may begin: those that the caller may see, and all that lists show, some of which a caller
    /// without a project may not.
    private func markers(of query: ImageListQuery, _ caller: Caller) -> SQLCondition {
        if caller.isAdmin { return SQLCondition("1 = 1") }
        let visible = Self.visible(to: caller)
        guard caller.project == nil else { return SQLCondition(visible.sql, visible.values) }
        var listed = SQLCondition("i.deleted_at IS NULL")
        listed.add(ImageWalk.sharedWithAnybody(query.memberStatus))
        return SQLCondition("(\(visible.sql) OR \(listed.sql))", visible.values + listed.values)
    }
}
