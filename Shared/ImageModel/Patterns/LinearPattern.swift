/// A regular expression that is searched for anywhere in a text.
///
/// Python's syntax without what needs going back: no back references, no looking around, no possessive repetition; an
/// expression with one of them is refused with its reason, and so is one that is too large with its counts written out.
/// A search takes time in proportion to ``cost(of:)``, whatever the expression: the size of the expression times the
/// length of the text. Who takes both from others has to bound that product.
public struct LinearPattern: Sendable {
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
    private let size: Int

    /// - Throws: what is wrong with the expression, and at which character.
    public init(_ text: String) throws(LinearPatternError) {
        var parser = LinearPatternParser(text)
        var compiler = LinearPatternCompiler()
        try compiler.append(try parser.parse())
        steps = compiler.steps + [.match]
        size = compiler.size + 1
    }

    /// How much a search may take at most, in steps of a few nanoseconds.
    public func cost(of text: String) -> Int { size * (text.unicodeScalars.count + 1) }

    public func isFound(in text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        var current = Threads(count: steps.count)
        var next = current
        for position in 0...scalars.count {
            // A search may begin anywhere.
            if follow(0, at: position, in: scalars, &current) { return true }
            guard position < scalars.count else { break }
            next.waiting.removeAll(keepingCapacity: true)
            for step in current.waiting {
                guard case .scalar(let set) = steps[step], set.contains(scalars[position]) else { continue }
                if follow(step + 1, at: position + 1, in: scalars, &next) { return true }
            }
            swap(&current, &next)
        }
        return false
    }

    /// Where a search stands: steps that wait for a scalar, each once.
    private struct Threads {
        var waiting: [Int] = []
        /// The position at which a step was reached last.
        var reached: [Int]
        /// What is still to be followed; empty in between.
        var open: [Int] = []

        init(count: Int) { reached = Array(repeating: -1, count: count) }
    }

    /// Adds all steps that are reached without a scalar.
    ///
    /// - Returns: whether the end of the pattern is among them.
    private func follow(_ start: Int, at position: Int, in scalars: [Unicode.Scalar], _ threads: inout Threads) -> Bool
    {
        threads.open.append(start)
        while let step = threads.open.popLast() {
            if threads.reached[step] == position { continue }
            threads.reached[step] = position
            switch steps[step] {
            case .match: return true
            case .scalar: threads.waiting.append(step)
            case .jump(let target): threads.open.append(target)
            case .split(let one, let other):
                threads.open.append(other)
                threads.open.append(one)
            case .start: if position == 0 { threads.open.append(step + 1) }
            case .finalEnd: if position == scalars.count { threads.open.append(step + 1) }
            case .end:
                let isLastLine = position == scalars.count - 1 && scalars[position] == "\n"
                if position == scalars.count || isLastLine { threads.open.append(step + 1) }
            case .wordBoundary(let wanted):
                let before = position > 0 && scalars[position - 1].isWord
                let after = position < scalars.count && scalars[position].isWord
                if (before != after) == wanted { threads.open.append(step + 1) }
            }
        }
        return false
    }
}

/// Why an expression is refused.
public struct LinearPatternError: Error, CustomStringConvertible {
    var reason: String
    /// Counted from 1.
    var position: Int

    public var description: String { "\(reason) at character \(position) of the expression" }
}
