internal import ImageModel

/// Conditions that must all hold, with their values in order.
struct SQLCondition {
    private(set) var sql: String
    private(set) var values: [SQLValue]

    init(_ sql: String, _ values: [SQLValue] = []) {
        self.sql = sql
        self.values = values
    }

    /// Takes a value: its beginning, as `image_properties.value_prefix` has it. The database cuts both alike.
    static let prefixPlace = "substr(CAST(? AS TEXT), 1, 255)"

    mutating func add(_ condition: String, _ values: [SQLValue]) {
        sql += " AND \(condition)"
        self.values += values
    }

    mutating func add(_ condition: String, _ values: SQLValue...) { add(condition, values) }

    mutating func add(_ other: SQLCondition) { add(other.sql, other.values) }

    /// Asks of each row that something else has led to: in words that no index knows. Without statistics, as right after a
    /// restore, PostgreSQL would take an index of the condition for narrower than one of the row's id.
    mutating func add(ofEach condition: String, _ values: SQLValue...) { add("(\(condition)) IS TRUE", values) }

    /// That rows of a table, by its name in the statement, are of open images.
    static func open(_ table: String, _ visibility: Visibility, _ dialect: SQLDialect) -> SQLCondition {
        var open = SQLCondition("\(table).visibility = '\(visibility.rawValue)'")
        // PostgreSQL would take it for another condition, and expect the fewer images that pass both.
        if dialect.namesPartialIndexes { open.add("\(table).visibility IN ('public', 'community')") }
        return open
    }

    /// - Parameter place: what takes a value, with one placeholder.
    static func equals(_ expression: String, anyOf values: [SQLValue], place: String = "?") -> SQLCondition {
        guard let first = values.first else { return SQLCondition("1 = 0") }
        guard values.count > 1 else { return SQLCondition("\(expression) = \(place)", values) }
        // Rounded up to a power of two with repetitions, so that few different statements arise.
        var padded = values
        while padded.count & (padded.count - 1) != 0 { padded.append(first) }
        let places = repeatElement(place, count: padded.count).joined(separator: ", ")
        return SQLCondition("\(expression) IN (\(places))", padded)
    }
}
