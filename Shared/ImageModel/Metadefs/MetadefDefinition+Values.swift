internal import WireJSON

extension MetadefDefinition {
    /// What is wrong with the text that a resource has under this definition, as the rest of a sentence; `nil` when it
    /// fits.
    ///
    /// Resources keep every value as text: whole numbers and numbers are read as such, truth in the words that oslo
    /// takes for it, arrays as JSON or as a list with commas, objects as JSON. Where the definition has operators, a
    /// value may begin with one (`<or> a <or> b`), and each operand is judged. A pattern outside of the dialect of
    /// ``LinearPattern`` is not judged.
    public func complaint(about text: String) -> String? {
        for operand in operands(of: text) {
            if let complaint = complaint(aboutOperand: operand) { return complaint }
        }
        return nil
    }

    private func complaint(aboutOperand text: String) -> String? {
        switch type {
        case "integer":
            guard let value = Int64(text) else { return "must be a whole number" }
            return complaint(aboutNumber: Double(value)) ?? complaint(aboutChoice: text, in: keywords["enum"])
        case "number":
            guard let value = Double(text), value.isFinite else { return "must be a number" }
            return complaint(aboutNumber: value) ?? complaint(aboutChoice: text, in: keywords["enum"])
        case "boolean":
            return Self.truths.contains(text.lowercased()) ? nil : "must be true or false"
        case "array":
            return complaint(aboutElements: elements(of: text))
        case "object":
            // Why it is no JSON does not matter.
            guard let json = try? JSONValue(parsing: text.utf8), json.objectValue != nil else {
                return "must be a JSON object"
            }
            return nil
        default:
            return complaint(aboutText: text) ?? complaint(aboutChoice: text, in: keywords["enum"])
        }
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

    private func complaint(aboutText text: String) -> String? {
        let length = Int64(text.unicodeScalars.count)
        if let least = keywords["minLength"]?.integerValue, length < least {
            return "must have at least \(least) characters"
        }
        if let most = keywords["maxLength"]?.integerValue, length > most {
            return "must have at most \(most) characters"
        }
        if let pattern = keywords["pattern"]?.stringValue, let expression = LinearPattern(pattern),
            !expression.matches(text)
        {
            return "must match the pattern \(pattern.excerpt)"
        }
        return nil
    }

    private func complaint(aboutChoice text: String, in choices: JSONValue?) -> String? {
        guard let choices = choices?.arrayValue, !choices.isEmpty else { return nil }
        let words = choices.map { $0.stringValue ?? $0.text }
        guard !words.contains(where: { $0.utf8.elementsEqual(text.utf8) }) else { return nil }
        return "must be one of: \(words.joined(separator: ", ").excerpt)"
    }

    private func complaint(aboutElements elements: [String]) -> String? {
        let count = Int64(elements.count)
        if let least = keywords["minItems"]?.integerValue, count < least { return "must have at least \(least) items" }
        if let most = keywords["maxItems"]?.integerValue, count > most { return "must have at most \(most) items" }
        if keywords["uniqueItems"]?.boolValue == true, Set(elements.map { Array($0.utf8) }).count < elements.count {
            return "must not name an item twice"
        }
        guard let items = keywords["items"]?.objectValue else { return nil }
        let item = MetadefDefinition(items)
        for element in elements {
            if let complaint = item.complaint(aboutOperand: element) { return "has an item that \(complaint)" }
        }
        return nil
    }

    private func elements(of text: String) -> [String] {
        // What is no JSON is a list with commas.
        if let json = try? JSONValue(parsing: text.utf8), let elements = json.arrayValue {
            return elements.map { $0.stringValue ?? $0.text }
        }
        return text.isEmpty ? [] : text.parts(separatedBy: ",").map(\.trimmed)
    }

    /// The values that a text compares with: the text itself unless it begins with an operator of the definition.
    private func operands(of text: String) -> [String] {
        let operators = (keywords["operators"]?.arrayValue ?? []).compactMap(\.stringValue)
        let words = text.parts(separatedBy: " ").filter { !$0.isEmpty }
        guard let first = words.first, operators.contains(first) else { return [text] }
        return words.split { operators.contains($0) }.map { $0.joined(separator: " ") }
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
