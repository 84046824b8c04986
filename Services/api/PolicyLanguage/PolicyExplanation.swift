/// What became of each part of a rule: a line per part, from the whole to the checks.
public struct PolicyExplanation: Sendable {
    public struct Line: Sendable {
        public enum Answer: Sendable, Equatable {
            case holds, fails
            case fault(String)
        }

        /// How deep the part lies; 0 for the whole.
        public var depth: Int
        /// `all of`, `any of`, `not`, or a check as it was written.
        public var text: String
        public var answer: Answer
    }

    public private(set) var lines: [Line] = []

    /// Beyond this many lines the rest is left out: for rules that nobody could read to the end.
    public static let lineLimit = 2_000

    /// Every check is asked, also those that an evaluation would not come to.
    public init(
        _ rule: Int,
        of rules: PolicyRules,
        _ target: some PolicyTargetValues,
        _ credentials: some PolicyCredentials
    ) {
        append(rule, of: rules, target, credentials, depth: 0, behind: [])
    }

    private mutating func append(
        _ rule: Int,
        of rules: PolicyRules,
        _ target: some PolicyTargetValues,
        _ credentials: some PolicyCredentials,
        depth: Int,
        behind asked: [Int]
    ) {
        let expression = rules.expressions[rule]
        let answers = Self.answers(expression, rules, target, credentials)
        var open: [(node: Int, depth: Int, parent: PolicyExpression.Node?)] = [(expression.root, depth, nil)]
        while let (index, depth, parent) = open.popLast(), lines.count < Self.lineLimit {
            let node = expression.nodes[index]
            let children: [Int]
            var text: String?
            switch node {
            case .check(let leaf):
                children = []
                text = expression.leaves[leaf].text
            case .not(let part):
                children = [part]
                text = "not"
            // Three joined by the same word are one list of three.
            case .all(let left, let right):
                children = [left, right]
                if case .all = parent { text = nil } else { text = "all of" }
            case .any(let left, let right):
                children = [left, right]
                if case .any = parent { text = nil } else { text = "any of" }
            }
            if let text { lines.append(Line(depth: depth, text: text, answer: answers[index])) }
            let inner = text == nil ? depth : depth + 1
            for child in children.reversed() { open.append((child, inner, node)) }
            if case .check(let leaf) = node, case .rule(let name) = expression.leaves[leaf].check,
                let other = rules.index(of: name), !asked.contains(other), other != rule, asked.count < 16
            {
                append(other, of: rules, target, credentials, depth: inner, behind: asked + [rule])
            }
        }
    }

    /// The answer of each node, children first.
    private static func answers(
        _ expression: PolicyExpression,
        _ rules: PolicyRules,
        _ target: some PolicyTargetValues,
        _ credentials: some PolicyCredentials
    ) -> [Line.Answer] {
        var answers: [Line.Answer] = []
        for node in expression.nodes {
            switch node {
            case .check(let leaf):
                answers.append(answer(expression.leaves[leaf].check, rules, target, credentials))
            case .not(let part):
                switch answers[part] {
                case .holds: answers.append(.fails)
                case .fails: answers.append(.holds)
                case .fault: answers.append(answers[part])
                }
            // The first that decides; a fault on the way to it is the answer.
            case .all(let left, let right): answers.append(answers[left] == .holds ? answers[right] : answers[left])
            case .any(let left, let right): answers.append(answers[left] == .fails ? answers[right] : answers[left])
            }
        }
        return answers
    }

    private static func answer(
        _ check: PolicyCheck,
        _ rules: PolicyRules,
        _ target: some PolicyTargetValues,
        _ credentials: some PolicyCredentials
    ) -> Line.Answer {
        do throws(PolicyFault) {
            let holds: Bool
            if case .rule(let name) = check {
                holds =
                    try rules.index(of: name).map { index throws(PolicyFault) in
                        try rules.allows(index, target, credentials)
                    } ?? false
            } else {
                holds = try check.holds(for: "", target, credentials, asking: NoInquirer())
            }
            return holds ? .holds : .fails
        } catch {
            return .fault(error.description)
        }
    }
}
