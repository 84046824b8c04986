internal import WireJSON

extension MetadefDefinition {
    /// What is wrong with the text that a resource has under this definition, as the rest of a sentence; `nil` when it
    /// fits.
    ///
    /// Resources keep every value as text: whole numbers and numbers are read as such, truth in the words that oslo
    /// takes for it, arrays as JSON or as a list with commas, objects as JSON. Where the definition has operators, a
    /// value may begin with one and compare (``MetadefComparison``): then each operand is judged, that of an array as
    /// one of its items. A pattern that is no ``LinearPattern`` is not judged.
    ///
    /// - Parameter budget: What patterns may take; a value that would take more does not fit.
    public func complaint(about text: String, within budget: inout PatternBudget) -> String? {
        let comparison: MetadefComparison?
        do throws(MetadefComparison.Fault) {
            comparison = try MetadefComparison(text, operators: operators)
        } catch {
            return error.complaint
        }
        if let comparison { return complaint(about: comparison, within: &budget) }
        guard type == "array" else { return ValueRules(keywords).complaint(about: text, within: &budget) }
        return complaint(aboutElements: Self.elements(of: text), within: &budget)
    }

    private var operators: [String] { (keywords["operators"]?.arrayValue ?? []).compactMap(\.stringValue) }

    /// The rules of an array's items; `nil` where anything will do.
    private var itemRules: ValueRules? { (keywords["items"]?.objectValue).map { ValueRules($0) } }

    private func complaint(about comparison: MetadefComparison, within budget: inout PatternBudget) -> String? {
        guard let rules = type == "array" ? itemRules : ValueRules(keywords) else { return nil }
        for operand in comparison.operands {
            let complaint =
                comparison.isAboutParts
                ? rules.complaint(aboutPart: operand) : rules.complaint(about: operand, within: &budget)
            if let complaint { return "has an operand that \(complaint)" }
        }
        return nil
    }

    private func complaint(aboutElements elements: [String], within budget: inout PatternBudget) -> String? {
        let count = Int64(elements.count)
        if let least = keywords["minItems"]?.integerValue, count < least { return "must have at least \(least) items" }
        if let most = keywords["maxItems"]?.integerValue, count > most { return "must have at most \(most) items" }
        if keywords["uniqueItems"]?.boolValue == true, Set(elements.map { Array($0.utf8) }).count < elements.count {
            return "must not name an item twice"
        }
        guard let rules = itemRules else { return nil }
        for element in elements {
            if let complaint = rules.complaint(about: element, within: &budget) {
                return "has an item that \(complaint)"
            }
        }
        return nil
    }

    private static func elements(of text: String) -> [String] {
        // What is no JSON is a list with commas.
        if let json = try? JSONValue(parsing: text.utf8), let elements = json.arrayValue {
            return elements.map { $0.stringValue ?? $0.text }
        }
        return text.isEmpty ? [] : text.parts(separatedBy: ",").map(\.trimmed)
    }
}
