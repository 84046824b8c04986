/// Puts the words of a rule together: `not` binds closer than `and`, `and` closer than `or`, the same from left to right.
/// Its stacks are arrays, so that no nesting is too deep.
struct PolicyExpressionParser {
    private enum Operator {
        case or, and, not
        case open(column: Int)

        var rank: Int {
            switch self {
            case .open: 0
            case .or: 1
            case .and: 2
            case .not: 3
            }
        }
    }

    private var operators: [Operator] = []
    private var operands: [Int] = []
    /// Whether a check or what begins one comes next.
    private var wantsCheck = true
    private var lastColumn = 0

    mutating func read(_ word: PolicyWord, into expression: inout PolicyExpression) throws(PolicyExpression.Problem) {
        lastColumn = word.column
        switch word.kind {
        case .check(let text):
            try begin(word)
            operands.append(expression.check(text, at: word.column))
            wantsCheck = false
        case .quoted(let text):
            throw problem(word.column, "\(text) stands alone: a literal needs ':' and what it is compared with")
        case .not:
            try begin(word)
            operators.append(.not)
        case .open:
            try begin(word)
            operators.append(.open(column: word.column))
        case .and: try join(.and, "and", word, &expression)
        case .or: try join(.or, "or", word, &expression)
        case .close:
            if wantsCheck { throw problem(word.column, "a check is expected before ')'") }
            reduce(&expression, downTo: 1)
            guard case .open = operators.popLast() else {
                throw problem(word.column, "')' closes nothing")
            }
        }
    }

    mutating func finish(_ expression: inout PolicyExpression) throws(PolicyExpression.Problem) {
        if wantsCheck { throw problem(lastColumn + 1, "the rule ends where a check is expected") }
        reduce(&expression, downTo: 1)
        if case .open(let column) = operators.last { throw problem(column, "'(' is not closed") }
        // The tree's root is its last node, which a lone operand may not be when what stands before it was joined.
        precondition(operands.count == 1 && operands[0] == expression.root, "a read rule is one tree")
    }

    private func begin(_ word: PolicyWord) throws(PolicyExpression.Problem) {
        if !wantsCheck { throw problem(word.column, "'and' or 'or' is expected here") }
    }

    private mutating func join(
        _ join: Operator,
        _ name: String,
        _ word: PolicyWord,
        _ expression: inout PolicyExpression
    ) throws(PolicyExpression.Problem) {
        if wantsCheck { throw problem(word.column, "a check is expected before '\(name)'") }
        reduce(&expression, downTo: join.rank)
        operators.append(join)
        wantsCheck = true
    }

    /// Applies the operators on top of the stack that bind at least as closely as `rank` says.
    private mutating func reduce(_ expression: inout PolicyExpression, downTo rank: Int) {
        while let top = operators.last, top.rank >= rank, let right = operands.popLast() {
            operators.removeLast()
            switch top {
            case .not: operands.append(expression.node(.not(right)))
            case .and: operands.append(expression.node(.all(operands.removeLast(), right)))
            case .or: operands.append(expression.node(.any(operands.removeLast(), right)))
            case .open: return
            }
        }
    }

    private func problem(_ column: Int, _ message: String) -> PolicyExpression.Problem {
        PolicyExpression.Problem(column: column, message: message)
    }
}
