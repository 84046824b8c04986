// The grammar of `os_glance_filter` and `os_glance_newest`, which `docs/search.md` explains to clients.

extension ImageFilter {
    /// How many conditions one list may have.
    static let maximumConditions = 16
    /// How many values `in` and `nin` may have.
    static let maximumOperands = 100

    /// Reads `field:operator:operand`. A field may stand in double quotes, and must where it contains a colon.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`) that names the part that is wrong.
    init(search text: String) throws(ServiceError) {
        do throws(SearchError) {
            let (field, rest) = try SearchField.split(text)
            let (word, operand) = rest.partitioned(at: ":").map { ($0.before, .some($0.after)) } ?? (rest, String?.none)
            guard let comparison = SearchOperator(rawValue: word) else {
                throw SearchError("unknown operator '\(word.excerpt)', it must be one of \(SearchOperator.list)")
            }
            self = try field.filter(comparison, operand)
        } catch {
            throw ServiceError(.invalidRequest, "Invalid os_glance_filter '\(text.excerpt)': \(error.reason).")
        }
    }

    /// Reads `field:value`, as `field:eq:value` is read.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`) that names the part that is wrong.
    init(family text: String) throws(ServiceError) {
        do throws(SearchError) {
            let (field, value) = try SearchField.split(text)
            self = try field.filter(.equal, value)
        } catch {
            throw ServiceError(.invalidRequest, "Invalid os_glance_newest '\(text.excerpt)': \(error.reason).")
        }
    }
}

/// What is wrong with a condition: a sentence without its end.
private struct SearchError: Error {
    var reason: String

    init(_ reason: String) { self.reason = reason }
}

private enum SearchOperator: String, CaseIterable {
    case equal = "eq"
    case notEqual = "neq"
    case anyOf = "in"
    case noneOf = "nin"
    case greater = "gt"
    case greaterOrEqual = "gte"
    case less = "lt"
    case lessOrEqual = "lte"
    case prefix
    case exists

    static let list = allCases.map(\.rawValue).joined(separator: ", ")
}

private enum SearchField {
    case text(ImageFilter.TextColumn)
    case integer(ImageFilter.IntegerColumn)
    case time(ImageFilter.TimeColumn)
    case protected
    case tag
    case property(String)

    /// - Returns: The field, and what follows its colon.
    static func split(_ text: String) throws(SearchError) -> (SearchField, rest: String) {
        guard text.unicodeScalars.first == "\"" else {
            guard let (name, rest) = text.partitioned(at: ":") else {
                throw SearchError("a colon must follow the field")
            }
            return (try SearchField(name), rest)
        }
        var name = String.UnicodeScalarView()
        var scalars = text.unicodeScalars.dropFirst()
        while let scalar = scalars.popFirst() {
            if scalar == "\"" {
                guard scalars.popFirst() == ":" else { throw SearchError("a colon must follow the field") }
                return (try SearchField(String(name)), String(scalars))
            }
            let isEscape = scalar == "\\" && (scalars.first == "\"" || scalars.first == "\\")
            name.append(isEscape ? scalars.popFirst() ?? scalar : scalar)
        }
        throw SearchError("the quote around the field is not closed")
    }

    init(_ name: String) throws(SearchError) {
        if let column = ImageFilter.TextColumn(rawValue: name) {
            self = .text(column)
        } else if let column = ImageFilter.IntegerColumn(rawValue: name) {
            self = .integer(column)
        } else if let column = ImageFilter.TimeColumn(rawValue: name) {
            self = .time(column)
        } else {
            self = try Self.other(name)
        }
    }

    private static func other(_ name: String) throws(SearchError) -> SearchField {
        switch name {
        case "": throw SearchError("the field is missing")
        case "protected": return .protected
        case "tag": return .tag
        case "tags": throw SearchError("the field of a tag is 'tag'")
        case "visibility", "os_hidden", "member_status":
            throw SearchError("'\(name)' is a parameter of its own, not a field")
        case "properties": throw SearchError("'\(name)' cannot be searched")
        default: break
        }
        do {
            // What no client can give an image, no client can look for.
            try PropertyName(name).requireCreatable()
        } catch {
            throw SearchError("'\(name.excerpt)' cannot be searched")
        }
        return .property(name)
    }

    func filter(_ comparison: SearchOperator, _ operand: String?) throws(SearchError) -> ImageFilter {
        if comparison == .exists { return try existence(operand) }
        guard let operand else { throw SearchError("a colon must follow the operator '\(comparison.rawValue)'") }
        switch self {
        case .text(let column): return try text(column, comparison, operand)
        case .integer(let column): return try integer(column, comparison, operand)
        case .time(let column): return try time(column, comparison, operand)
        case .protected: return try protection(comparison, operand)
        case .tag: return try tag(comparison, operand)
        case .property(let name): return try property(name, comparison, operand)
        }
    }

    private func text(
        _ column: ImageFilter.TextColumn,
        _ comparison: SearchOperator,
        _ operand: String
    ) throws(SearchError) -> ImageFilter {
        switch try test(comparison, operand) {
        case .anyOf(let values): return .text(column, anyOf: values)
        case let test: return .condition(ImageCondition(.text(column), test))
        }
    }

    private func tag(_ comparison: SearchOperator, _ operand: String) throws(SearchError) -> ImageFilter {
        switch try test(comparison, operand) {
        case .anyOf(let values) where values.count == 1: return .tag(values[0])
        case .order: throw unsuitable(comparison, "a tag")
        case let test: return .condition(ImageCondition(.tag, test))
        }
    }

    private func property(
        _ name: String,
        _ comparison: SearchOperator,
        _ operand: String
    ) throws(SearchError) -> ImageFilter {
        // Never the filter of the plain parameters, which is let through where a property may not be read.
        .condition(ImageCondition(.property(name), try test(comparison, operand)))
    }

    private func integer(
        _ column: ImageFilter.IntegerColumn,
        _ comparison: SearchOperator,
        _ operand: String
    ) throws(SearchError) -> ImageFilter {
        func number(_ text: String) throws(SearchError) -> Int64 {
            guard let number = text.clampedInteger else {
                throw SearchError("'\(text.excerpt)' is not a whole number, and '\(column.rawValue)' is one")
            }
            return number
        }
        switch comparison {
        case .equal: return .integer(column, equals: try number(operand))
        case .greaterOrEqual: return .bound(column, .atLeast, try number(operand))
        case .lessOrEqual: return .bound(column, .atMost, try number(operand))
        case .greater:
            let (bound, isBeyond) = try number(operand).addingReportingOverflow(1)
            return isBeyond ? .nothing : .bound(column, .atLeast, bound)
        case .less:
            let (bound, isBeyond) = try number(operand).subtractingReportingOverflow(1)
            return isBeyond ? .nothing : .bound(column, .atMost, bound)
        case .notEqual:
            return .condition(ImageCondition(.integer(column), .noneOf([String(try number(operand))])))
        case .anyOf, .noneOf:
            var numbers: [String] = []
            for text in try values(operand) { numbers.append(String(try number(text))) }
            return .condition(
                ImageCondition(.integer(column), comparison == .anyOf ? .anyOf(numbers) : .noneOf(numbers))
            )
        case .prefix, .exists: throw unsuitable(comparison, "a number")
        }
    }

    private func time(
        _ column: ImageFilter.TimeColumn,
        _ comparison: SearchOperator,
        _ operand: String
    ) throws(SearchError) -> ImageFilter {
        // The operators that there are for times have the same names.
        guard let order = ImageFilter.TimeComparison(rawValue: comparison.rawValue) else {
            throw unsuitable(comparison, "a time")
        }
        guard let time = Timestamp(iso8601: operand) else {
            throw SearchError("'\(operand.excerpt)' is not a time in ISO 8601, and '\(column.rawValue)' is one")
        }
        return .time(column, order, time)
    }

    private func protection(_ comparison: SearchOperator, _ operand: String) throws(SearchError) -> ImageFilter {
        guard comparison == .equal || comparison == .notEqual else { throw unsuitable(comparison, "'protected'") }
        return .protected(try truth(operand) == (comparison == .equal))
    }

    private func existence(_ operand: String?) throws(SearchError) -> ImageFilter {
        let exists = try operand.map { text throws(SearchError) in try truth(text) } ?? true
        switch self {
        case .text(let column): return .condition(ImageCondition(.text(column), .exists(exists)))
        case .integer(let column): return .condition(ImageCondition(.integer(column), .exists(exists)))
        case .tag: return .condition(ImageCondition(.tag, .exists(exists)))
        case .property(let name): return .condition(ImageCondition(.property(name), .exists(exists)))
        case .time: throw unsuitable(.exists, "a time")
        case .protected: throw unsuitable(.exists, "'protected'")
        }
    }

    private func test(_ comparison: SearchOperator, _ operand: String) throws(SearchError) -> ImageCondition.Test {
        switch comparison {
        case .equal: return .anyOf([operand])
        case .notEqual: return .noneOf([operand])
        case .anyOf: return .anyOf(try values(operand))
        case .noneOf: return .noneOf(try values(operand))
        case .greater: return .order(.greater, operand)
        case .greaterOrEqual: return .order(.greaterOrEqual, operand)
        case .less: return .order(.less, operand)
        case .lessOrEqual: return .order(.lessOrEqual, operand)
        case .prefix:
            guard !operand.isEmpty else { throw SearchError("the prefix is empty") }
            guard operand.unicodeScalars.count <= PropertyName.maximumLength else {
                throw SearchError("the prefix is longer than \(PropertyName.maximumLength) characters")
            }
            return .prefix(operand)
        case .exists: return .exists(try truth(operand))
        }
    }

    /// A list as the plain parameters have it behind `in:`.
    private func values(_ list: String) throws(SearchError) -> [String] {
        let values: [String]
        do {
            values = try ImageFilter.quotedList(list)
        } catch {
            throw SearchError(error.message.hasSuffix(".") ? String(error.message.dropLast()) : error.message)
        }
        guard !values.isEmpty else { throw SearchError("the list of values is empty") }
        guard values.count <= ImageFilter.maximumOperands else {
            throw SearchError("there are more than \(ImageFilter.maximumOperands) values")
        }
        return values
    }

    private func truth(_ text: String) throws(SearchError) -> Bool {
        switch text {
        case "true": return true
        case "false": return false
        default: throw SearchError("'\(text.excerpt)' is neither 'true' nor 'false'")
        }
    }

    private func unsuitable(_ comparison: SearchOperator, _ what: String) -> SearchError {
        SearchError("the operator '\(comparison.rawValue)' does not suit \(what)")
    }
}
