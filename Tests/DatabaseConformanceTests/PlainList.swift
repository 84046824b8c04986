import ImageModel

/// What a list must show, worked out by looking at every image (Image API v2, "List images"; `docs/search.md`).
struct PlainList {
    var images: [Image]
    /// The answers of the projects with which an image is shared.
    var members: [ImageID: [String: String]]

    func list(_ query: ImageListQuery, as caller: Caller) -> [Image] {
        images.filter { image in
            image.status != .killed && image.hidden == query.hidden && shows(image, to: caller, query)
                && query.filters.allSatisfy { Self.passes(image, $0) }
        }
        .sorted { ListOrder.precedes($0, $1, by: query.sort) }
    }

    private func isOpen(_ image: Image) -> Bool { image.visibility == .public || image.visibility == .community }

    private func shows(_ image: Image, to caller: Caller, _ query: ImageListQuery) -> Bool {
        let isOwn = image.owner != nil && image.owner == caller.project
        let answers = (members[image.id] ?? [:]).filter { caller.project == nil || $0.key == caller.project }.values
        let isShared =
            image.visibility == .shared
            && answers.contains { query.memberStatus == .all || $0 == query.memberStatus.rawValue }
        guard caller.isAdmin || isOwn || isOpen(image) || isShared else { return false }
        switch query.visibility {
        case .unspecified: return isOwn || image.visibility != .community
        case .all: return true
        case .only(let visibility): return image.visibility == visibility
        case .nothing: return false
        }
    }

    private static func passes(_ image: Image, _ filter: ImageFilter) -> Bool {
        switch filter {
        case .nothing: false
        case .text(let column, let texts): texts.contains { equal($0, text(image, column)) }
        case .integer(let column, let value): integer(image, column) == value
        case .bound(let column, .atLeast, let bound): integer(image, column).map { $0 >= bound } ?? false
        case .bound(let column, .atMost, let bound): integer(image, column).map { $0 <= bound } ?? false
        case .protected(let value): image.protected == value
        case .tag(let tag): image.tags.contains { equal($0, tag) }
        case .property(let name, let value): equal(value, image.properties[name] ?? nil)
        case .condition(let condition): passes(image, condition)
        case .time: preconditionFailure("times are compared in the list's own tests")
        }
    }

    private static func passes(_ image: Image, _ condition: ImageCondition) -> Bool {
        switch condition.subject {
        case .text(let column): passes([text(image, column)].compactMap { $0 }, condition.test, false)
        case .integer(let column):
            passes([integer(image, column)].compactMap { $0.map(String.init) }, condition.test, true)
        case .tag: passes(image.tags, condition.test, false)
        case .property(let name): passes([image.properties[name] ?? nil].compactMap { $0 }, condition.test, true)
        }
    }

    private static func passes(_ values: [String], _ test: ImageCondition.Test, _ hasNumbers: Bool) -> Bool {
        switch test {
        case .anyOf(let texts): values.contains { value in texts.contains { equal($0, value) } }
        case .noneOf(let texts): !values.contains { value in texts.contains { equal($0, value) } }
        case .prefix(let prefix): values.contains { $0.utf8.starts(with: prefix.utf8) }
        case .exists(let exists): values.isEmpty != exists
        case .order(let order, let operand):
            values.contains { value in
                guard hasNumbers, ImageCondition.isDecimal(operand) else {
                    return holds(
                        order,
                        Array(value.utf8).lexicographicallyPrecedes(Array(operand.utf8)),
                        equal(value, operand)
                    )
                }
                guard ImageCondition.isDecimal(value), let one = Double(value), let other = Double(operand) else {
                    return false
                }
                return holds(order, one < other, one == other)
            }
        }
    }

    private static func holds(_ order: ImageCondition.Order, _ isLess: Bool, _ isEqual: Bool) -> Bool {
        switch order {
        case .greater: !isLess && !isEqual
        case .greaterOrEqual: !isLess
        case .less: isLess
        case .lessOrEqual: isLess || isEqual
        }
    }

    private static func equal(_ one: String, _ other: String?) -> Bool {
        other.map { one.utf8.elementsEqual($0.utf8) } ?? false
    }

    private static func text(_ image: Image, _ column: ImageFilter.TextColumn) -> String? {
        switch column {
        case .name: image.name
        case .id: image.id.text
        case .status: image.status.rawValue
        case .containerFormat: image.containerFormat
        case .diskFormat: image.diskFormat
        case .owner: image.owner
        case .checksum: image.checksum
        case .hashValue: image.hashValue
        case .hashAlgorithm: image.hashAlgorithm
        }
    }

    private static func integer(_ image: Image, _ column: ImageFilter.IntegerColumn) -> Int64? {
        switch column {
        case .size: image.size
        case .virtualSize: image.virtualSize
        case .minRAM: image.minRAM
        case .minDisk: image.minDisk
        }
    }
}
