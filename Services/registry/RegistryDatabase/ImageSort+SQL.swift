internal import ImageModel

extension ImageSort {
    /// Over `i`, the image. Nulls sort as the empty text or zero, so that a page can begin after them.
    var expression: String {
        switch key {
        case .id, .status, .createdAt, .updatedAt: "i.\(key.rawValue)"
        case .name: "i.sort_name"
        case .containerFormat, .diskFormat: "COALESCE(i.\(key.rawValue), '')"
        case .size: "COALESCE(i.size, 0)"
        }
    }

    var isNumeric: Bool {
        switch key {
        case .size, .createdAt, .updatedAt: true
        case .id, .status, .name, .containerFormat, .diskFormat: false
        }
    }

    /// Behind the expression: texts are sorted byte by byte. The name's column is so by itself, and ids, which are
    /// digits and hyphens in the same places, are in the same order everywhere.
    func byteOrder(_ dialect: SQLDialect) -> String {
        switch key {
        case .status, .containerFormat, .diskFormat: " \(dialect.byteOrder)"
        case .name, .id, .size, .createdAt, .updatedAt: ""
        }
    }
}

extension ImageSort.Direction {
    var sql: String { self == .ascending ? "ASC" : "DESC" }
}

extension [ImageSort] {
    /// Whether all columns run in one direction, as an index can be read.
    var isOneWay: Bool { allSatisfy { $0.direction == first?.direction } }

    /// Whether the indexes that end in `created_at, id` have this order.
    var isByCreation: Bool { isOneWay && map(\.key) == [.createdAt, .id] }

    /// Whether the indexes that end in `sort_name, created_at, id` have this order.
    var isByName: Bool { isOneWay && map(\.key) == [.name, .createdAt, .id] }
}
