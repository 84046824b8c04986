public import ImageModel
internal import RegistryContract

extension ImageTable {
    /// One page, in one statement: conditions, order and limit are the database's work.
    ///
    /// - Throws: `invalid` when the marker is no image that the caller may see.
    public func list(_ query: ImageListQuery, visibleTo caller: Caller) throws -> [Image] {
        guard !query.sort.isEmpty else { throw RegistryError(.malformed, "A list needs an order", field: "sort") }
        guard query.limit > 0, query.visibility != .nothing, !query.filters.contains(.nothing) else {
            if let marker = query.marker { _ = try markerRow(marker, query.sort, caller) }
            return []
        }
        var condition = SQLCondition("i.deleted_at IS NULL AND i.status <> 'killed'")
        condition.add("i.os_hidden = ?", SQLValue(query.hidden))
        restrict(&condition, to: caller, query)
        for filter in query.filters { filter.add(to: &condition, connection.dialect) }
        if let marker = query.marker {
            condition.add(after: try markerRow(marker, query.sort, caller), query.sort)
        }
        let order = query.sort.map { "\($0.expression) \($0.direction == .ascending ? "ASC" : "DESC")" }
            .joined(separator: ", ")
        var rows = "\(condition.sql) ORDER BY \(order) LIMIT ?"
        if query.filters.contains(where: \.isNamePrefix) {
            // What a range of names finds has to be sorted: ids alone, so that only one page of whole records is read.
            rows = "i.id IN (SELECT i.id FROM images i WHERE \(rows)) ORDER BY \(order)"
        }
        return try connection.query(
            """
            SELECT \(Self.columns(connection.dialect)) FROM images i
            WHERE \(rows)
            """,
            condition.values + [.integer(Int64(query.limit))],
            Self.image(from:)
        )
    }

    /// What a list shows (Image API v2, visibility in lists): wider than nothing, narrower than what an id opens.
    private func restrict(_ condition: inout SQLCondition, to caller: Caller, _ query: ImageListQuery) {
        if !caller.isAdmin {
            let sharing = SQLCondition.membership(query.memberStatus, project: caller.project)
            if let project = caller.project {
                condition.add(
                    "(i.visibility IN ('public', 'community') OR i.owner = ? OR (i.visibility = 'shared' AND \(sharing.sql)))",
                    [.text(project)] + sharing.values
                )
            } else {
                condition.add(
                    "(i.visibility IN ('public', 'community') OR (i.visibility = 'shared' AND \(sharing.sql)))",
                    sharing.values
                )
            }
        }
        switch query.visibility {
        case .all, .nothing: break
        case .only(let visibility): condition.add("i.visibility = ?", .text(visibility.rawValue))
        case .unspecified:
            if let project = caller.project {
                condition.add("(i.visibility <> 'community' OR i.owner = ?)", .text(project))
            } else {
                condition.add("i.visibility <> 'community'")
            }
        }
    }

    /// The sort columns of the image after which a page begins. Administrators may begin after a deleted one.
    private func markerRow(_ id: ImageID, _ sort: [ImageSort], _ caller: Caller) throws -> [SQLValue] {
        let visible: (sql: String, values: [SQLValue]) = caller.isAdmin ? ("1 = 1", []) : Self.visible(to: caller)
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
}

extension ImageSort {
    /// Nulls sort as the empty text or zero, so that a page can begin after them.
    fileprivate var expression: String {
        switch key {
        case .id, .status, .createdAt, .updatedAt: "i.\(key.rawValue)"
        case .name, .containerFormat, .diskFormat: "COALESCE(i.\(key.rawValue), '')"
        case .size: "COALESCE(i.size, 0)"
        }
    }

    fileprivate var isNumeric: Bool {
        switch key {
        case .size, .createdAt, .updatedAt: true
        case .id, .status, .name, .containerFormat, .diskFormat: false
        }
    }
}

/// Conditions that must all hold, with their values in order.
struct SQLCondition {
    private(set) var sql: String
    private(set) var values: [SQLValue]

    init(_ sql: String, _ values: [SQLValue] = []) {
        self.sql = sql
        self.values = values
    }

    mutating func add(_ condition: String, _ values: [SQLValue]) {
        sql += " AND \(condition)"
        self.values += values
    }

    mutating func add(_ condition: String, _ values: SQLValue...) { add(condition, values) }

    /// Rows strictly behind `row`: behind in the first column, or equal there and behind in the next, and so on.
    fileprivate mutating func add(after row: [SQLValue], _ sort: [ImageSort]) {
        var alternatives: [String] = []
        var values: [SQLValue] = []
        for position in sort.indices {
            var parts = sort[..<position].map { "\($0.expression) = ?" }
            values += row[..<position]
            parts.append("\(sort[position].expression) \(sort[position].direction == .ascending ? ">" : "<") ?")
            values.append(row[position])
            alternatives.append("(\(parts.joined(separator: " AND ")))")
        }
        // Follows from the alternatives, but only with it does an index begin at the row instead of running up to it.
        if let first = sort.first, let value = row.first {
            add("\(first.expression) \(first.direction == .ascending ? ">=" : "<=") ?", value)
        }
        add("(\(alternatives.joined(separator: " OR ")))", values)
    }

    /// Shared with the caller's project, in the member status that was asked for. A caller without a project is shown what
    /// is shared with anybody.
    fileprivate static func membership(_ status: MemberStatusFilter, project: String?) -> SQLCondition {
        var condition = SQLCondition("m.image_id = i.id")
        if let project { condition.add("m.member = ?", .text(project)) }
        if status != .all { condition.add("m.status = ?", .text(status.rawValue)) }
        condition.sql = "EXISTS (SELECT 1 FROM image_members m WHERE \(condition.sql))"
        return condition
    }
}

extension ImageFilter {
    fileprivate var isNamePrefix: Bool {
        if case .condition(let condition) = self, condition.subject == .text(.name), case .prefix = condition.test {
            return true
        }
        return false
    }

    fileprivate func add(to condition: inout SQLCondition, _ dialect: SQLDialect) {
        switch self {
        case .nothing:
            condition.add("1 = 0")
        case .text(let column, let texts):
            guard texts.count != 1 else { return condition.add("i.\(column.rawValue) = ?", .text(texts[0])) }
            guard !texts.isEmpty else { return condition.add("1 = 0") }
            // Rounded up to a power of two with repetitions, so that few different statements arise.
            var padded = texts
            while padded.count & (padded.count - 1) != 0 { padded.append(texts[0]) }
            let places = repeatElement("?", count: padded.count).joined(separator: ", ")
            condition.add("i.\(column.rawValue) IN (\(places))", padded.map(SQLValue.text))
        case .integer(let column, let value):
            condition.add("i.\(column.rawValue) = ?", .integer(value))
        case .bound(let column, let bound, let value):
            condition.add("i.\(column.rawValue) \(bound == .atLeast ? ">=" : "<=") ?", .integer(value))
        case .time(let column, let comparison, let time):
            // Times are shown, and so asked for, in whole seconds.
            let column = "i.\(column.rawValue)"
            let fraction = (time.microseconds % 1_000_000 + 1_000_000) % 1_000_000
            let second = max(time.microseconds, .min + 1_000_000) - fraction
            let start = SQLValue.integer(second)
            let end = SQLValue.integer(min(second, .max - 1_000_000) + 1_000_000)
            switch comparison {
            case .greater: condition.add("\(column) >= ?", end)
            case .greaterOrEqual: condition.add("\(column) >= ?", start)
            case .less: condition.add("\(column) < ?", start)
            case .lessOrEqual: condition.add("\(column) < ?", end)
            case .equal: condition.add("\(column) >= ? AND \(column) < ?", start, end)
            case .notEqual: condition.add("(\(column) < ? OR \(column) >= ?)", start, end)
            }
        case .condition(let test):
            test.add(to: &condition, dialect)
        case .protected(let value):
            condition.add("i.protected = ?", SQLValue(value))
        case .tag(let tag):
            condition.add("EXISTS (SELECT 1 FROM image_tags t WHERE t.value = ? AND t.image_id = i.id)", .text(tag))
        case .property(let name, let value):
            condition.add(
                """
                EXISTS (SELECT 1 FROM image_properties p WHERE p.name = ? AND substr(p.value, 1, 255) = substr(?, 1, 255)
                    AND p.value = ? AND p.image_id = i.id)
                """,
                .text(name),
                .text(value),
                .text(value)
            )
        }
    }
}
