/// Reads the syntax of Python's `re`, as far as ``LinearPattern`` can search for it.
struct LinearPatternParser {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    private var ignoresCase = false

    private static let depthLimit = 50
    private static let repetitionLimit = 1_000

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    mutating func parse() throws(LinearPatternError) -> LinearPatternNode {
        if rest(startsWith: "(?i)") {
            ignoresCase = true
            position += 4
        }
        let node = try choice()
        if position < scalars.count { throw error("')' closes nothing") }
        return node
    }

    private mutating func choice() throws(LinearPatternError) -> LinearPatternNode {
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(LinearPatternError) -> LinearPatternNode {
        var parts: [LinearPatternNode] = []
        while let next = peek, next != "|", next != ")" {
            let part = try atom(next)
            parts.append(try repeated(part))
        }
        return .sequence(parts)
    }

    private mutating func atom(_ first: Unicode.Scalar) throws(LinearPatternError) -> LinearPatternNode {
        if first == "*" || first == "+" || first == "?" { throw error("'\(first)' repeats nothing") }
        position += 1
        switch first {
        case "^": return .assertion(.start)
        case "$": return .assertion(.end)
        case ".": return set([.range(10...10)], isNegated: true)
        case "[": return try scalarClass()
        case "(": return try group()
        case "\\": return try escape()
        default: return set([.range(first.value...first.value)])
        }
    }

    private mutating func group() throws(LinearPatternError) -> LinearPatternNode {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.depthLimit { throw error("groups are nested deeper than \(Self.depthLimit)") }
        if take("?") {
            if take(":") {
                // A group that is not counted; nobody counts here.
            } else if rest(startsWith: "P<") {
                position += 2
                while let next = peek, next != ">" { position += next == ")" ? scalars.count : 1 }
                guard take(">") else { throw error("the group's name does not end") }
            } else {
                throw error("only (?:…), (?P<name>…) and a leading (?i) are supported after '(?'")
            }
        }
        let node = try choice()
        guard take(")") else { throw error("')' is missing") }
        return node
    }

    private mutating func repeated(_ node: LinearPatternNode) throws(LinearPatternError) -> LinearPatternNode {
        guard let (atLeast, atMost) = try quantifier() else { return node }
        if case .assertion(.start) = node { throw error("'^' cannot be repeated") }
        if case .assertion = node { throw error("a position cannot be repeated") }
        // Which of several matches is found makes no difference here.
        if !take("?"), peek == "+" { throw error("possessive repetition is not supported") }
        let before = position
        if peek == "*" || peek == "?" || peek == "+" { throw error("a repetition cannot be repeated") }
        if try quantifier() != nil {
            position = before
            throw error("a repetition cannot be repeated")
        }
        return .repetition(node, atLeast: atLeast, atMost: atMost)
    }

    private mutating func quantifier() throws(LinearPatternError) -> (Int, Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        let start = position
        guard take("{") else { return nil }
        let atLeast = try number()
        let hasComma = take(",")
        let atMost = hasComma ? try number() : atLeast
        // Anything else in braces stands for itself.
        guard take("}"), atLeast != nil || hasComma else {
            position = start
            return nil
        }
        if let atMost, atMost < atLeast ?? 0 { throw error("the repetition's limits are the wrong way round") }
        return (atLeast ?? 0, atMost)
    }

    private mutating func number() throws(LinearPatternError) -> Int? {
        var value: Int?
        while let digit = peek.flatMap({ $0.isASCII ? $0.properties.numericValue : nil }) {
            value = (value ?? 0) * 10 + Int(digit)
            if value ?? 0 > Self.repetitionLimit { throw error("more than \(Self.repetitionLimit) repetitions") }
            position += 1
        }
        return value
    }

    private mutating func scalarClass() throws(LinearPatternError) -> LinearPatternNode {
        let isNegated = take("^")
        var members: [ScalarSet.Member] = []
        var isFirst = true
        while let next = peek, next != "]" || isFirst {
            isFirst = false
            position += 1
            let low = next == "\\" ? try classEscape() : .range(next.value...next.value)
            guard peek == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
                members.append(low)
                continue
            }
            position += 1
            let end = scalars[position]
            position += 1
            let high = end == "\\" ? try classEscape() : .range(end.value...end.value)
            guard case .range(let first) = low, case .range(let last) = high, first.lowerBound <= last.lowerBound else {
                throw error("the range in brackets is none")
            }
            members.append(.range(first.lowerBound...last.lowerBound))
        }
        guard take("]") else { throw error("']' is missing") }
        return set(members, isNegated: isNegated)
    }

    private mutating func escape() throws(LinearPatternError) -> LinearPatternNode {
        switch peek {
        case "A": return assertion(.start)
        case "Z": return assertion(.finalEnd)
        case "b": return assertion(.wordBoundary(true))
        case "B": return assertion(.wordBoundary(false))
        default:
            if let digit = peek, ("1"..."9").contains(digit) { throw error("back references are not supported") }
            return set([try classEscape()])
        }
    }

    private mutating func assertion(_ step: LinearPattern.Step) -> LinearPatternNode {
        position += 1
        return .assertion(step)
    }

    /// What follows a backslash and stands for scalars.
    private mutating func classEscape() throws(LinearPatternError) -> ScalarSet.Member {
        guard let next = peek else { throw error("nothing follows the backslash") }
        position += 1
        let controls: [Unicode.Scalar: UInt32] = ["n": 10, "t": 9, "r": 13, "f": 12, "v": 11, "a": 7, "b": 8, "0": 0]
        switch next {
        case "d": return .digit(true)
        case "D": return .digit(false)
        case "w": return .word(true)
        case "W": return .word(false)
        case "s": return .space(true)
        case "S": return .space(false)
        case "x": return try code(digits: 2)
        case "u": return try code(digits: 4)
        default:
            if let control = controls[next] { return .range(control...control) }
            let isLetter = next.isASCII && (next.properties.isAlphabetic || next.properties.numericType != nil)
            if isLetter { throw error("\\\(next) has no meaning") }
            return .range(next.value...next.value)
        }
    }

    private mutating func code(digits: Int) throws(LinearPatternError) -> ScalarSet.Member {
        let text = String(String.UnicodeScalarView(scalars[position...].prefix(digits)))
        guard text.unicodeScalars.count == digits, let value = UInt32(text, radix: 16) else {
            throw error("\(digits) hexadecimal digits are expected")
        }
        position += digits
        return .range(value...value)
    }

    // MARK: Reading

    private var peek: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        position += 1
        return true
    }

    private func rest(startsWith text: String) -> Bool { scalars[position...].starts(with: text.unicodeScalars) }

    private func set(_ members: [ScalarSet.Member], isNegated: Bool = false) -> LinearPatternNode {
        .scalar(ScalarSet(members: members, isNegated: isNegated, ignoresCase: ignoresCase))
    }

    private func error(_ reason: String) -> LinearPatternError {
        LinearPatternError(reason: reason, position: min(position, scalars.count) + 1)
    }
}
