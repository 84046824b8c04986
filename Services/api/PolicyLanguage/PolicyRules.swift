/// Rules by name, linked with each other. A value: whoever holds it is served by the same rules throughout.
public struct PolicyRules: Sendable {
    /// What is worth a warning: a name that nobody defines, or rules that ask each other in a circle.
    public struct Finding: Sendable, Equatable, CustomStringConvertible {
        public let rule: String
        public let message: String

        public var description: String { "rule '\(rule)' \(message)" }
    }

    public let names: [String]
    let expressions: [PolicyExpression]
    private let programs: [PolicyProgram]
    private let indices: [String: Int]
    private let fallback: Int?
    /// One rule of every circle at least: where it is asked behind itself, there is no answer.
    private var circular: [Bool]
    public private(set) var findings: [Finding] = []

    /// How many rules may ask each other in a row, and how many checks one question may take. Rules that people write
    /// need a handful of both; the bounds are for those that go round in circles or double with every line.
    public static let depthLimit = 64
    public static let checkLimit = 10_000

    /// - Parameters:
    ///   - definitions: The last of equal names counts.
    ///   - fallback: The rule that answers for names that are not defined (`policy_default_rule`).
    public init(_ definitions: [(name: String, expression: PolicyExpression)], fallback: String?) {
        var indices: [String: Int] = [:]
        var names: [String] = []
        var expressions: [PolicyExpression] = []
        for (name, expression) in definitions {
            if let index = indices[name] {
                expressions[index] = expression
            } else {
                indices[name] = names.count
                names.append(name)
                expressions.append(expression)
            }
        }
        let fallbackIndex = fallback.flatMap { indices[$0] }
        let table = indices
        programs = expressions.map { expression in
            PolicyProgram(expression) { table[$0] ?? fallbackIndex }
        }
        self.names = names
        self.expressions = expressions
        self.indices = indices
        self.fallback = fallbackIndex
        circular = Array(repeating: false, count: names.count)
        findings = undefined(fallback)
        findCircles()
    }

    /// The rule of a name, or the one that answers for it; `nil` where there is neither.
    public func index(of name: String) -> Int? { indices[name] ?? fallback }

    /// Whether any rule asks another service.
    public var haveInquiries: Bool { expressions.contains { !$0.remotes.isEmpty } }

    public func isDefined(_ name: String) -> Bool { indices[name] != nil }

    public func expression(_ name: String) -> PolicyExpression? { indices[name].map { expressions[$0] } }

    /// Whether a rule allows, without asking other services.
    ///
    /// - Throws: ``PolicyFault`` where there is no answer, which allows nothing.
    public func allows(
        _ rule: Int,
        _ target: some PolicyTargetValues,
        _ credentials: some PolicyCredentials
    ) throws(PolicyFault) -> Bool {
        try allows(rule, target, credentials, asking: NoInquirer())
    }

    /// Whether a rule allows.
    ///
    /// - Throws: ``PolicyFault`` where there is no answer, which allows nothing.
    public func allows(
        _ rule: Int,
        _ target: some PolicyTargetValues,
        _ credentials: some PolicyCredentials,
        asking inquirer: some PolicyInquirer
    ) throws(PolicyFault) -> Bool {
        var course = Course(asked: names[rule])
        return try run(rule, depth: 0, &course, target, credentials, inquirer)
    }

    /// How far an evaluation has come.
    private struct Course {
        let asked: String
        var checksLeft = PolicyRules.checkLimit
        /// Of the circular rules, those that wait for an answer.
        var waiting: [Int] = []
    }

    private func run(
        _ rule: Int,
        depth: Int,
        _ course: inout Course,
        _ target: some PolicyTargetValues,
        _ credentials: some PolicyCredentials,
        _ inquirer: some PolicyInquirer
    ) throws(PolicyFault) -> Bool {
        guard depth <= Self.depthLimit else {
            throw PolicyFault(
                "rule '\(names[rule])' is asked behind more than \(Self.depthLimit) others"
            )
        }
        if circular[rule] {
            guard !course.waiting.contains(rule) else {
                throw PolicyFault("rule '\(names[rule])' is asked in a circle")
            }
            course.waiting.append(rule)
        }
        let steps = programs[rule].steps
        var next = 0
        while next >= 0 {
            course.checksLeft -= 1
            guard course.checksLeft >= 0 else {
                throw PolicyFault("rule '\(names[rule])' takes more than \(Self.checkLimit) checks")
            }
            let step = steps[next]
            let holds: Bool
            if case .rule = step.check {
                if let other = step.rule {
                    holds = try run(other, depth: depth + 1, &course, target, credentials, inquirer)
                } else {
                    holds = false
                }
            } else {
                holds = try step.check.holds(for: course.asked, target, credentials, asking: inquirer)
            }
            next = holds ? step.ifTrue : step.ifFalse
        }
        if circular[rule] { course.waiting.removeLast() }
        return next == PolicyProgram.allowed
    }

    // MARK: Findings

    private func undefined(_ fallback: String?) -> [Finding] {
        zip(names, expressions).flatMap { name, expression in
            expression.references.filter { indices[$0] == nil }.map { missing in
                let answer = self.fallback == nil ? "it never holds" : "'\(fallback ?? "")' answers for it"
                return Finding(rule: name, message: "asks rule '\(missing)', which is not defined: \(answer)")
            }
        }
    }

    /// Rules from which a walk comes back to where it has been. Every rule is visited once.
    private mutating func findCircles() {
        enum Mark { case new, open, done }
        var marks = [Mark](repeating: .new, count: names.count)
        for start in names.indices where marks[start] == .new {
            var path: [(rule: Int, rest: ArraySlice<Int>)] = [(start, references(start)[...])]
            marks[start] = .open
            while let top = path.last {
                guard let other = top.rest.first else {
                    marks[top.rule] = .done
                    path.removeLast()
                    continue
                }
                path[path.count - 1].rest.removeFirst()
                switch marks[other] {
                case .done: break
                case .open:
                    circular[other] = true
                    let message = "asks rule '\(names[other])' in a circle, and is denied when it comes to that"
                    findings.append(Finding(rule: names[top.rule], message: message))
                case .new:
                    marks[other] = .open
                    path.append((other, references(other)[...]))
                }
            }
        }
    }

    private func references(_ rule: Int) -> [Int] { programs[rule].steps.compactMap(\.rule) }
}
