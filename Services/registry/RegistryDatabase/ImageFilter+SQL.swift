internal import ImageModel

extension ImageFilter {
    /// Whether an index leads to the images that pass, but not in the order of a list.
    var leadsAstray: Bool {
        switch self {
        case .text(.id, _): true
        case .text(.name, let texts), .text(.owner, let texts): texts.count > 1
        case .condition(let condition): condition.subject == .text(.name) || condition.subject == .text(.id)
        case .text, .integer, .bound, .time, .protected, .tag, .property, .nothing: false
        }
    }

    /// Whether an index of images leads to those that pass, in whatever order.
    var leads: Bool {
        if case .text(.owner, _) = self { return true }
        if case .text(.name, _) = self { return true }
        return leadsAstray
    }

    /// Whether no index leads to the images that pass, and most images do.
    private var isOfActive: Bool { self == .text(.status, anyOf: [ImageStatus.active.rawValue]) }

    /// Whether rows of another table are asked, each image's by its id.
    var isOfOtherRows: Bool {
        switch self {
        case .tag, .property: true
        case .condition(let condition):
            switch condition.subject {
            case .tag, .property: true
            case .text, .integer: false
            }
        case .text, .integer, .bound, .time, .protected, .nothing: false
        }
    }

    /// Whether an index that has images in an order stays the best way to those that pass, whatever values are asked for.
    var leavesTheOrder: Bool { isOfActive || isOfOtherRows }

    /// The filter over `i`, the image.
    ///
    /// - Parameters:
    ///   - rows: What names the images, as `d`. A tag is asked of what it names, before the image is looked up.
    ///   - eachAlone: Whether images are met one after another, in the order of the list, until a page is full: what hangs
    ///     on them is then looked up for each that is met. Left to itself, PostgreSQL may find all that pass and sort them.
    func add(to condition: inout SQLCondition, on rows: ImageRows?, _ dialect: SQLDialect, eachAlone: Bool) {
        let end = eachAlone ? dialect.fence : ""
        let id = rows != nil && eachAlone ? "d.image_id" : "i.id"
        switch self {
        case .nothing:
            condition.add("1 = 0")
        case .text(.name, let names):
            condition.add(.equals("i.sort_name", anyOf: names.map(SQLValue.text)))
            // A missing name is sorted as the empty one, and is not equal to it.
            if names.contains("") { condition.add("i.name IS NOT NULL") }
        case .text(let column, let texts):
            condition.add(.equals("i.\(column.rawValue)", anyOf: texts.map(SQLValue.text)))
        case .integer(let column, let value):
            condition.add("i.\(column.rawValue) = ?", .integer(value))
        case .bound(let column, let bound, let value):
            condition.add("i.\(column.rawValue) \(bound == .atLeast ? ">=" : "<=") ?", .integer(value))
        case .time(let column, let comparison, let time):
            add("i.\(column.rawValue)", comparison, time, to: &condition)
        case .condition(let test):
            test.add(to: &condition, dialect, end)
        case .protected(let value):
            condition.add("i.protected = ?", SQLValue(value))
        case .tag(let tag):
            condition.add(
                "EXISTS (SELECT 1 FROM image_tags t WHERE t.value = ? AND t.image_id = \(id)\(end))",
                .text(tag)
            )
        case .property(let name, let value):
            condition.addProperty(name, equals: value, end)
        }
    }

    /// Times are shown, and so asked for, in whole seconds.
    private func add(
        _ column: String,
        _ comparison: TimeComparison,
        _ time: Timestamp,
        to condition: inout SQLCondition
    ) {
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
    }
}
