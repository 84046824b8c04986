extension ImageFilter {
    /// Reads one parameter of a list that is neither about paging nor about sorting nor about who sees what.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`).
    init(parameter name: String, _ value: String) throws(ServiceError) {
        if let column = TextColumn(rawValue: name) {
            self = .text(column, anyOf: column.hasOperators ? try Self.operands(of: value) : [value])
        } else if let column = IntegerColumn(rawValue: name) {
            self = value.clampedInteger.map { .integer(column, equals: $0) } ?? .nothing
        } else if let column = TimeColumn(rawValue: name) {
            self = try Self.time(column, value)
        } else if let (column, bound) = Self.bound(named: name) {
            guard let number = value.clampedInteger else {
                throw ServiceError(.invalidRequest, "Unable to filter on a range with a non-numeric value.")
            }
            self = .bound(column, bound, number)
        } else {
            self = try Self.other(name, value)
        }
    }

    private static func other(_ name: String, _ value: String) throws(ServiceError) -> ImageFilter {
        switch name {
        case "protected":
            // Unlike `os_hidden`, in lower case only.
            guard value == "true" || value == "false" else {
                throw ServiceError(
                    .invalidRequest,
                    "Invalid value '\(value.excerpt)' for 'protected' filter. Valid values are 'true' or 'false'."
                )
            }
            return .protected(value == "true")
        case "tag": return .tag(value.trimmed)
        // Parts of a record that no list can be asked for.
        case "locations", "properties": return .nothing
        default: return .property(name: name, value: value)
        }
    }

    private static func bound(named name: String) -> (IntegerColumn, IntegerBound)? {
        for column in IntegerColumn.allCases {
            for bound in IntegerBound.allCases where name == "\(column.rawValue)_\(bound.rawValue)" {
                return (column, bound)
            }
        }
        return nil
    }

    /// The word before the first colon, where there is one. A time without an operator has colons of its own.
    private static func split(_ value: String) -> (word: String, operand: String)? {
        guard let (word, operand) = value.partitioned(at: ":"), Timestamp(iso8601: value) == nil else { return nil }
        return (word, operand)
    }

    private static func time(_ column: TimeColumn, _ value: String) throws(ServiceError) -> ImageFilter {
        let (word, operand) = split(value) ?? ("eq", value)
        guard let time = Timestamp(iso8601: operand) else {
            throw ServiceError(
                .invalidRequest,
                "Bad \"\(column.rawValue)\" query filter format. Use ISO 8601 DateTime notation."
            )
        }
        guard let comparison = TimeComparison(rawValue: word) else {
            throw ServiceError(.invalidRequest, "Unable to filter on a unknown operator.")
        }
        return .time(column, comparison, time)
    }

    private static func operands(of value: String) throws(ServiceError) -> [String] {
        guard let (word, operand) = split(value) else { return [value] }
        switch word {
        case "eq": return [operand]
        case "in": return try quotedList(operand)
        default:
            throw ServiceError(.invalidRequest, "Unable to filter by unknown operator '\(word.excerpt)'.")
        }
    }

    /// Splits on commas outside double quotes. A backslash before a quote makes it an ordinary character, and inside
    /// quotes before a backslash, too. A comma at the end is not followed by an empty value.
    static func quotedList(_ list: String) throws(ServiceError) -> [String] {
        func wrong(_ reason: String) -> ServiceError {
            ServiceError(.invalidRequest, "Invalid filter value \(list.excerpt). \(reason)")
        }
        var values: [String] = []
        var value = String.UnicodeScalarView()
        var isQuoted = false
        /// Whether a quotation has just ended: only a comma may follow.
        var isClosed = false
        var scalars = list.unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            switch scalar {
            case "\\" where scalars.first == "\"" || (isQuoted && scalars.first == "\\"):
                guard !isClosed else { throw wrong("There is no comma after closing quotation mark.") }
                if let escaped = scalars.popFirst() { value.append(escaped) }
            case "\"" where isQuoted:
                isQuoted = false
                isClosed = true
            case "\"":
                guard !isClosed else { throw wrong("There is no comma after closing quotation mark.") }
                guard value.isEmpty else { throw wrong("There is no comma before opening quotation mark.") }
                isQuoted = true
            case "," where !isQuoted:
                values.append(String(value))
                value = String.UnicodeScalarView()
                isClosed = false
            default:
                guard !isClosed else { throw wrong("There is no comma after closing quotation mark.") }
                value.append(scalar)
            }
        }
        guard !isQuoted else { throw wrong("The quote is not closed.") }
        if isClosed || !value.isEmpty { values.append(String(value)) }
        return values
    }
}
