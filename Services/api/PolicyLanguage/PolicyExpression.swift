/// A rule as it was written, taken apart. A text that cannot be read is a rule that never holds.
///
/// The tree is an array in which children stand before their parents, so that nothing that walks it needs a stack as deep
/// as the rule.
public struct PolicyExpression: Sendable {
    enum Node: Sendable, Equatable {
        /// An index into ``leaves``.
        case check(Int)
        case all(Int, Int)
        case any(Int, Int)
        case not(Int)
    }

    struct Leaf: Sendable {
        let check: PolicyCheck
        /// As it was written.
        let text: String
    }

    /// Something that its author probably did not mean.
    public struct Problem: Sendable, Equatable, CustomStringConvertible {
        /// In characters (Unicode scalars) of the rule's text, counted from 1.
        public let column: Int
        public let message: String

        public var description: String { "column \(column): \(message)" }
    }

    private(set) var nodes: [Node] = []
    /// In the order in which they are asked.
    private(set) var leaves: [Leaf] = []
    public private(set) var problems: [Problem] = []
    /// The rule in one line; a rule of lists in the form that replaced them.
    public let text: String

    /// The last node is the root.
    var root: Int { nodes.count - 1 }

    /// Reads a rule of text. An empty one always holds.
    public init(_ text: String) {
        self.text = text
        if text.isEmpty {
            _ = leaf(.always, "@")
            return
        }
        var parser = PolicyExpressionParser()
        do {
            for word in PolicyWord.words(of: text) { try parser.read(word, into: &self) }
            try parser.finish(&self)
        } catch {
            nodes.removeAll()
            leaves.removeAll()
            problems.append(error)
            _ = leaf(.never, "!")
        }
    }

    /// Reads a rule in the old form of lists: one of the outer, of it all the inner. An empty list always holds.
    public init(lists: [[String]]) {
        let inner = lists.filter { !$0.isEmpty }
        text = inner.map {
            $0.count > 1 && inner.count > 1 ? "(\($0.joined(separator: " and ")))" : $0.joined(separator: " and ")
        }
        .joined(separator: " or ")
        if inner.isEmpty {
            _ = lists.isEmpty ? leaf(.always, "@") : leaf(.never, "!")
            return
        }
        var whole: Int?
        for words in inner {
            var part: Int?
            for word in words {
                let check = check(word, at: 1)
                part = part.map { node(.all($0, check)) } ?? check
            }
            guard let part else { continue }
            whole = whole.map { node(.any($0, part)) } ?? part
        }
    }

    // MARK: Building

    mutating func node(_ node: Node) -> Int {
        nodes.append(node)
        return nodes.count - 1
    }

    mutating func check(_ word: String, at column: Int) -> Int {
        let check = PolicyCheck(word)
        if let problem = check.problem(in: word) { problems.append(Problem(column: column, message: problem)) }
        return leaf(check, word)
    }

    private mutating func leaf(_ check: PolicyCheck, _ text: String) -> Int {
        leaves.append(Leaf(check: check, text: text))
        return node(.check(leaves.count - 1))
    }

    /// The names of the rules that it asks.
    public var references: [String] {
        leaves.compactMap { if case .rule(let name) = $0.check { name } else { nil } }
    }

    /// The addresses of other services that it asks.
    public var remotes: [String] {
        leaves.compactMap { if case .remote = $0.check { $0.text } else { nil } }
    }
}

extension PolicyExpression.Problem: Error {}
