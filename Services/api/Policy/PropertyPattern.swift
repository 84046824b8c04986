/// A regular expression that is searched for anywhere in the name of a property.
///
/// Python's syntax without what needs going back: no back references, no looking around, no possessive repetition; a
/// pattern with one of them is refused with its reason. A search takes time in proportion to pattern and name, whatever
/// the pattern.
struct PropertyPattern: Sendable {
    enum Step: Sendable {
        case scalar(ScalarSet)
        /// Goes on in both places.
        case split(Int, Int)
        case jump(Int)
        case start, end, finalEnd
        case wordBoundary(Bool)
        case match
    }

    private let steps: [Step]

    /// - Throws: what is wrong with the pattern, and at which character.
    init(_ text: String) throws(PropertyPatternError) {
        var parser = PropertyPatternParser(text)
        var compiler = PropertyPatternCompiler()
        try compiler.append(try parser.parse())
        steps = compiler.steps + [.match]
    }

    func isFound(in name: String) -> Bool {
        let scalars = Array(name.unicodeScalars)
        var current = Threads(count: steps.count)
        for position in 0...scalars.count {
            // A search may begin anywhere.
            if follow(0, at: position, in: scalars, &current) { return true }
            guard position < scalars.count else { break }
            var next = Threads(count: steps.count)
            for step in current.waiting {
                guard case .scalar(let set) = steps[step], set.contains(scalars[position]) else { continue }
                if follow(step + 1, at: position + 1, in: scalars, &next) { return true }
            }
            current = next
        }
        return false
    }

    /// Where a search stands: steps that wait for a scalar, each once.
    private struct Threads {
        var waiting: [Int] = []
        var seen: [Bool]

        init(count: Int) { seen = Array(repeating: false, count: count) }
    }

    /// Adds all steps that are reached without a scalar.
    ///
    /// - Returns: whether the end of the pattern is among them.
    private func follow(_ start: Int, at position: Int, in scalars: [Unicode.Scalar], _ threads: inout Threads) -> Bool
    {
        var open = [start]
        while let step = open.popLast() {
            if threads.seen[step] { continue }
            threads.seen[step] = true
            switch steps[step] {
            case .match: return true
            case .scalar: threads.waiting.append(step)
            case .jump(let target): open.append(target)
            case .split(let one, let other):
                open.append(other)
                open.append(one)
            case .start: if position == 0 { open.append(step + 1) }
            case .finalEnd: if position == scalars.count { open.append(step + 1) }
            case .end:
                let isLastLine = position == scalars.count - 1 && scalars[position] == "\n"
                if position == scalars.count || isLastLine { open.append(step + 1) }
            case .wordBoundary(let wanted):
                let before = position > 0 && scalars[position - 1].isWord
                let after = position < scalars.count && scalars[position].isWord
                if (before != after) == wanted { open.append(step + 1) }
            }
        }
        return false
    }
}

/// Why a pattern is refused.
struct PropertyPatternError: Error, CustomStringConvertible {
    var reason: String
    /// Counted from 1.
    var position: Int

    var description: String { "\(reason) at character \(position) of the expression" }
}

/// Some of all Unicode scalars.
struct ScalarSet: Sendable {
    enum Member: Sendable {
        case range(ClosedRange<UInt32>)
        case digit(Bool), word(Bool), space(Bool)
    }

    var members: [Member]
    var isNegated = false
    var ignoresCase = false

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        var found = holds(scalar)
        if !found, ignoresCase { found = Self.otherCases(of: scalar).contains(where: holds) }
        return found != isNegated
    }

    private func holds(_ scalar: Unicode.Scalar) -> Bool {
        members.contains { member in
            switch member {
            case .range(let range): range.contains(scalar.value)
            case .digit(let wanted): (scalar.properties.numericType == .decimal) == wanted
            case .word(let wanted): scalar.isWord == wanted
            case .space(let wanted): scalar.isSpace == wanted
            }
        }
    }

    private static func otherCases(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping].compactMap { mapping in
            mapping.unicodeScalars.count == 1 ? mapping.unicodeScalars.first : nil
        }
    }
}

extension Unicode.Scalar {
    /// Letters, digits and the underscore, as Python counts them.
    fileprivate var isWord: Bool {
        if self == "_" || properties.numericType != nil { return true }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
        default: return false
        }
    }

    fileprivate var isSpace: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }
}
