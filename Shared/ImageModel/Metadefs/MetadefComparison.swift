/// A value that asks instead of naming, with one of the operators that its definition declares: `<all-in> aes avx`
/// (Nova, "Compute schedulers", ComputeCapabilitiesFilter).
///
/// | Operator | What follows |
/// |---|---|
/// | `<or>` | a choice; again with the operator for each further one |
/// | `<all-in>` | words |
/// | `<in>` | a text that is to be part of the value |
/// | `<range-in>` | `[ 1 5 ]`: two numbers in brackets, in parentheses where one is not meant to count |
/// | `=` `==` `!=` `>=` `<=` | a number |
/// | `s==` `s!=` `s>=` `s>` `s<=` `s<`, and any other | a text |
struct MetadefComparison {
    /// What is wrong, as the rest of a sentence.
    struct Fault: Error {
        var complaint: String
    }

    let operands: [String]
    /// Whether the operands are parts of values rather than values.
    let isAboutParts: Bool

    private static let numeric: Set<String> = ["=", "==", "!=", ">=", "<="]

    /// - Parameter operators: Those that the definition declares; other words are no operators.
    /// - Returns: `nil` for a text that begins with none.
    init?(_ text: String, operators: [String]) throws(Fault) {
        guard !operators.isEmpty else { return nil }
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let first = words.first, operators.contains(first) else { return nil }
        if let other = words.first(where: { $0 != first && operators.contains($0) }) {
            throw Fault(complaint: "must not mix the operators \(first.excerpt) and \(other.excerpt)")
        }
        let groups = words.dropFirst().split(separator: first, omittingEmptySubsequences: false)
        guard !groups.contains(where: \.isEmpty) else {
            throw Fault(complaint: "must have an operand after \(first.excerpt)")
        }
        guard groups.count == 1 || first == "<or>" || first == "<all-in>" else {
            throw Fault(complaint: "must have \(first.excerpt) only once")
        }
        isAboutParts = first == "<in>"
        switch first {
        case "<all-in>": operands = groups.flatMap { $0 }
        case "<range-in>": operands = try Self.range(groups[0].joined(separator: " "))
        default: operands = groups.map { $0.joined(separator: " ") }
        }
        if Self.numeric.contains(first), ValueRules.number(operands[0]) == nil {
            throw Fault(complaint: "must have a number after \(first)")
        }
    }

    private static func range(_ text: String) throws(Fault) -> [String] {
        let ends = text.dropFirst().dropLast().split(separator: " ").map(String.init)
        guard let open = text.first, let close = text.last, text.count > 1, "[(".contains(open), "])".contains(close),
            ends.count == 2, let from = ValueRules.number(ends[0]), let to = ValueRules.number(ends[1]), from <= to
        else {
            throw Fault(complaint: "must have two numbers in brackets after <range-in>, the smaller one first")
        }
        return ends
    }
}
