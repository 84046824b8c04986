internal import ImageModel

extension ImageCondition {
    /// The condition over `i`, the image.
    /// - Parameter end: Ends the subqueries.
    func add(to condition: inout SQLCondition, _ dialect: SQLDialect, _ end: String) {
        switch subject {
        case .text(.name): addName(to: &condition, dialect)
        case .text(let column): addColumn("i.\(column.rawValue)", SQLValue.text, to: &condition, dialect)
        case .integer(let column):
            addColumn(
                "i.\(column.rawValue)",
                // What is no number equals none, like NULL.
                { SQLValue(Int64($0)) },
                to: &condition,
                dialect
            )
        case .tag:
            addRows("image_tags t WHERE t.image_id = i.id", [], value: "t.value", to: &condition, dialect, end)
        case .property(let name):
            if case .anyOf(let values) = test, values.count == 1 {
                return condition.addProperty(name, equals: values[0], end)
            }
            addRows(
                "image_properties p WHERE p.image_id = i.id AND p.name = ? AND p.value IS NOT NULL",
                [.text(name)],
                value: "p.value",
                to: &condition,
                dialect,
                end
            )
        }
    }

    /// A prefix is never empty, and so no beginning of a name that is missing.
    private func addName(to condition: inout SQLCondition, _ dialect: SQLDialect) {
        guard case .prefix(let prefix) = test else {
            return addColumn("i.name", SQLValue.text, to: &condition, dialect)
        }
        condition.add(.begins("i.sort_name", with: prefix, dialect))
    }

    private func addColumn(
        _ column: String,
        _ bind: (String) -> SQLValue,
        to condition: inout SQLCondition,
        _ dialect: SQLDialect
    ) {
        switch test {
        case .exists(let exists): condition.add("\(column) IS \(exists ? "NOT " : "")NULL")
        case .anyOf(let values): condition.add(.equals(column, anyOf: values.map(bind)))
        case .noneOf(let values):
            let equal = SQLCondition.equals(column, anyOf: values.map(bind))
            condition.add("(\(column) IS NULL OR NOT \(equal.sql))", equal.values)
        case .prefix(let prefix): condition.add(.begins(column, with: prefix, dialect))
        case .order(let order, let value):
            condition.add("\(column) \(dialect.byteOrder) \(order.symbol) ?", bind(value))
        }
    }

    /// A test of the rows that belong to the image: at least one of them passes, or for what is negated none does.
    private func addRows(
        _ rows: String,
        _ values: [SQLValue],
        value: String,
        to condition: inout SQLCondition,
        _ dialect: SQLDialect,
        _ end: String
    ) {
        func add(_ test: SQLCondition?, isNegated: Bool = false) {
            let tested = test.map { " AND \($0.sql)" } ?? ""
            condition.add(
                "\(isNegated ? "NOT " : "")EXISTS (SELECT 1 FROM \(rows)\(tested)\(end))",
                values + (test?.values ?? [])
            )
        }
        switch test {
        case .exists(let exists): add(nil, isNegated: !exists)
        case .anyOf(let values): add(.equals(value, anyOf: values.map(SQLValue.text)))
        case .noneOf(let values): add(.equals(value, anyOf: values.map(SQLValue.text)), isNegated: true)
        case .prefix(let prefix): add(.begins(value, with: prefix, dialect))
        case .order(let order, let operand):
            guard Self.isDecimal(operand) else {
                return add(SQLCondition("\(value) \(dialect.byteOrder) \(order.symbol) ?", [.text(operand)]))
            }
            // CASE, so that nothing is converted that is no number.
            add(
                SQLCondition(
                    """
                    CASE WHEN length(\(value)) <= \(Self.maximumDecimalLength) AND \(dialect.isDecimal(value))
                    THEN CAST(\(value) AS DOUBLE PRECISION) \(order.symbol) CAST(? AS DOUBLE PRECISION) ELSE 1 = 0 END
                    """,
                    [.text(operand)]
                )
            )
        }
    }
}

extension ImageCondition.Order {
    fileprivate var symbol: String {
        switch self {
        case .greater: ">"
        case .greaterOrEqual: ">="
        case .less: "<"
        case .lessOrEqual: "<="
        }
    }
}

extension SQLCondition {
    /// That `i`, the image, has a property of that value; an index leads to it.
    mutating func addProperty(_ name: String, equals value: String, _ end: String) {
        add(
            """
            EXISTS (SELECT 1 FROM image_properties p WHERE p.name = ? AND p.value_prefix = \(Self.prefixPlace)
                AND p.value = ? AND p.image_id = i.id\(end))
            """,
            .text(name),
            .text(value),
            .text(value)
        )
    }

    /// A range, which an index over the expression can find.
    static func begins(_ expression: String, with prefix: String, _ dialect: SQLDialect) -> SQLCondition {
        let expression = "\(expression) \(dialect.byteOrder)"
        guard let end = ImageCondition.end(ofPrefix: prefix) else {
            return SQLCondition("\(expression) >= ?", [.text(prefix)])
        }
        return SQLCondition("\(expression) >= ? AND \(expression) < ?", [.text(prefix), .text(end)])
    }
}
