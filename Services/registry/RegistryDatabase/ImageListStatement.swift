internal import ImageModel

/// The statement that reads one page of a list.
struct ImageListStatement {
    private(set) var sql: String
    private(set) var values: [SQLValue]
    /// Whether it is the same work for any values: there is one way to the images, and it is in their order.
    private(set) var hasOnePlan = false

    /// A single walk in the order of the list reads whole records as it goes. Otherwise each walk gives the keys of its
    /// first images, however it has to find these, and only what comes first among all of them is read whole.
    ///
    /// - Parameters:
    ///   - walks: on which the images lie, each on one; with none, there is no statement.
    ///   - order: total, so that pages neither repeat nor lose an image.
    ///   - row: the values of `order` behind which the page begins.
    ///   - limit: how many images at most.
    init?(_ walks: [ImageWalk], order: [ImageSort], after row: [SQLValue]?, limit: Int, _ dialect: SQLDialect) {
        guard let first = walks.first else { return nil }
        let isOnePage = walks.count == 1 && first.hasOrder(order)
        hasOnePlan = (isOnePage || walks.count > 1) && walks.allSatisfy(\.isTheOnlyWay)
        // Written out, or PostgreSQL plans for a tenth of all rows, and sorts them.
        let limit = hasOnePlan ? SQLCondition("\(limit)") : SQLCondition("?", [.integer(Int64(limit))])
        if isOnePage {
            let page = Self.page(of: first, ImageTable.columns(dialect), order, row, limit, dialect)
            (sql, values) = (page.sql, page.values)
            return
        }
        let keys = order.enumerated().filter { $0.element.key != .id }
        var (arms, values): ([String], [SQLValue]) = ([], [])
        for (number, walk) in walks.enumerated() {
            let columns = ["i.id AS id"] + keys.map { "\(walk.expression($0.element)) AS k\($0.offset)" }
            let page = Self.page(of: walk, columns.joined(separator: ", "), order, row, limit, dialect)
            arms.append("SELECT * FROM (\(page.sql)) w\(number)")
            values += page.values
        }
        func sorted(_ table: String) -> String {
            order.enumerated().map { number, sort in
                let key = sort.key == .id ? "\(table).id" : "\(table).k\(number)\(sort.byteOrder(dialect))"
                return "\(key) \(sort.direction.sql)"
            }.joined(separator: ", ")
        }
        sql = """
            SELECT \(ImageTable.columns(dialect))
            FROM (SELECT * FROM (\(arms.joined(separator: "\n\(dialect.disjointUnion)\n"))) u
                ORDER BY \(sorted("u")) LIMIT \(limit.sql)) page
            CROSS JOIN images i WHERE i.id = page.id ORDER BY \(sorted("page"))
            """
        self.values = values + limit.values
    }

    /// The first rows of a walk, behind a row.
    private static func page(
        of walk: ImageWalk,
        _ columns: String,
        _ order: [ImageSort],
        _ row: [SQLValue]?,
        _ limit: SQLCondition,
        _ dialect: SQLDialect
    ) -> SQLCondition {
        var condition = walk.condition
        if let row { condition.add(after(row, walk, order, dialect)) }
        let sorted = order.map { "\(walk.expression($0))\($0.byteOrder(dialect)) \($0.direction.sql)" }
        let source = walk.source
        return SQLCondition(
            """
            SELECT \(columns) FROM \(source.sql)
            WHERE \(condition.sql) ORDER BY \(sorted.joined(separator: ", ")) LIMIT \(limit.sql)
            """,
            source.values + condition.values + limit.values
        )
    }

    /// Rows strictly behind `row`: behind in the first column, or equal there and behind in the next, and so on.
    private static func after(
        _ row: [SQLValue],
        _ walk: ImageWalk,
        _ order: [ImageSort],
        _ dialect: SQLDialect
    ) -> SQLCondition {
        let keys = order.map { "\(walk.expression($0))\($0.byteOrder(dialect))" }
        let signs = order.map { $0.direction == .ascending ? ">" : "<" }
        if order.isOneWay {
            // An index begins right behind the row.
            let places = repeatElement("?", count: row.count).joined(separator: ", ")
            return SQLCondition("(\(keys.joined(separator: ", "))) \(signs[0]) (\(places))", row)
        }
        var (alternatives, values): ([String], [SQLValue]) = ([], [])
        for position in order.indices {
            let parts = keys[..<position].map { "\($0) = ?" } + ["\(keys[position]) \(signs[position]) ?"]
            values += row[...position]
            alternatives.append("(\(parts.joined(separator: " AND ")))")
        }
        // Follows from the alternatives, but only with it does an index begin at the row instead of running up to it.
        return SQLCondition(
            "\(keys[0]) \(signs[0])= ? AND (\(alternatives.joined(separator: " OR ")))",
            [row[0]] + values
        )
    }
}
