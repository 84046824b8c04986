internal import WireJSON

/// What a definition, or that of an array's items, demands of one value: made ready once, as a value may hold many.
struct ValueRules {
    private let keywords: JSONObject
    private let words: [String]
    private let choices: Set<[UInt8]>
    private let pattern: LinearPattern?

    init(_ keywords: JSONObject) {
        self.keywords = keywords
        words = (keywords["enum"]?.arrayValue ?? []).map { $0.stringValue ?? $0.text }
        choices = Set(words.map { Array($0.utf8) })
        // What is no pattern that can be matched in bounded time holds nobody to anything.
        pattern = (keywords["pattern"]?.stringValue).flatMap { try? LinearPattern($0) }
    }

    /// - Returns: what is wrong, as the rest of a sentence; `nil` when the value fits.
    func complaint(about text: String, within budget: inout PatternBudget) -> String? {
        switch keywords["type"]?.stringValue {
        case "integer":
            guard let value = Int64(text) else { return "must be a whole number" }
            return complaint(aboutNumber: Double(value)) ?? complaint(aboutChoice: text)
        case "number":
            guard let value = Self.number(text) else { return "must be a number" }
            return complaint(aboutNumber: value) ?? complaint(aboutChoice: text)
        case "boolean":
            return Self.truths.contains(text.lowercased()) ? nil : "must be true or false"
        case "array":
            // Within an array; its items are nobody's concern.
            return nil
        case "object":
            // Why it is no JSON does not matter.
            guard let json = try? JSONValue(parsing: text.utf8), json.objectValue != nil else {
                return "must be a JSON object"
            }
            return nil
        default:
            return complaint(aboutText: text, within: &budget) ?? complaint(aboutChoice: text)
        }
    }

    /// Of a text that values are to contain: there has to be a value that can.
    func complaint(aboutPart text: String) -> String? {
        guard !words.isEmpty, !words.contains(where: { $0.contains(text) }) else { return nil }
        return "must be part of one of: \(words.joined(separator: ", ").excerpt)"
    }

    /// A decimal number.
    static func number(_ text: String) -> Double? {
        // Swift reads hexadecimal digits and words besides.
        guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let value = Double(text) else {
            return nil
        }
        return value.isFinite ? value : nil
    }

    /// The words of oslo's `bool_from_string`.
    private static let truths: Set<String> = [
        "true", "t", "1", "on", "yes", "y", "false", "f", "0", "off", "no", "n",
    ]

    private func complaint(aboutNumber value: Double) -> String? {
        if let least = keywords["minimum"], value < least.number { return "must be at least \(least.text)" }
        if let most = keywords["maximum"], value > most.number { return "must be at most \(most.text)" }
        return nil
    }

    private func complaint(aboutText text: String, within budget: inout PatternBudget) -> String? {
        let length = Int64(text.unicodeScalars.count)
        if let least = keywords["minLength"]?.integerValue, length < least {
            return "must have at least \(least) characters"
        }
        if let most = keywords["maxLength"]?.integerValue, length > most {
            return "must have at most \(most) characters"
        }
        guard let pattern else { return nil }
        let shown = (keywords["pattern"]?.stringValue ?? "").excerpt
        guard let isFound = budget.finds(pattern, in: text) else {
            return "is too long to be held to the pattern \(shown)"
        }
        return isFound ? nil : "must match the pattern \(shown)"
    }

    private func complaint(aboutChoice text: String) -> String? {
        guard !choices.isEmpty, !choices.contains(Array(text.utf8)) else { return nil }
        return "must be one of: \(words.joined(separator: ", ").excerpt)"
    }
}

extension JSONValue {
    /// A bound as a number; what is none bounds nothing.
    fileprivate var number: Double {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: .nan
        }
    }
}
