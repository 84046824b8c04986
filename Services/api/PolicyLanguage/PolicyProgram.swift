/// A rule made ready to be asked: checks in the order of the text, each with where to go on. It takes a loop to run,
/// however the rule is nested.
struct PolicyProgram: Sendable {
    struct Step: Sendable {
        let check: PolicyCheck
        /// The rule that a `rule:` check asks, as an index; `nil` where nobody answers for it.
        let rule: Int?
        let ifTrue: Int
        let ifFalse: Int
    }

    static let allowed = -1
    static let denied = -2

    let steps: [Step]

    /// - Parameter link: The index of the rule of a name.
    init(_ expression: PolicyExpression, link: (String) -> Int?) {
        let nodes = expression.nodes
        // The first check of each part; children come before their parents.
        var first: [Int] = []
        first.reserveCapacity(nodes.count)
        for node in nodes {
            switch node {
            case .check(let leaf): first.append(leaf)
            case .all(let left, _), .any(let left, _): first.append(first[left])
            case .not(let part): first.append(first[part])
            }
        }
        // Where each part leads; parents before their children.
        var exits = [(ifTrue: Int, ifFalse: Int)](repeating: (Self.allowed, Self.denied), count: nodes.count)
        var steps = [Step?](repeating: nil, count: expression.leaves.count)
        for index in nodes.indices.reversed() {
            let exit = exits[index]
            switch nodes[index] {
            case .all(let left, let right):
                exits[left] = (first[right], exit.ifFalse)
                exits[right] = exit
            case .any(let left, let right):
                exits[left] = (exit.ifTrue, first[right])
                exits[right] = exit
            case .not(let part): exits[part] = (exit.ifFalse, exit.ifTrue)
            case .check(let leaf):
                let check = expression.leaves[leaf].check
                let rule: Int? = if case .rule(let name) = check { link(name) } else { nil }
                steps[leaf] = Step(check: check, rule: rule, ifTrue: exit.ifTrue, ifFalse: exit.ifFalse)
            }
        }
        self.steps = steps.compactMap { $0 }
    }
}
