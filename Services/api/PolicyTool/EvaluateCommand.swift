import ArgumentParser
import PolicyLanguage
import ServiceKit
import WireJSON

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Evaluates rules, targets and credentials from standard input: for tests of a policy in bulk.",
        discussion: """
            Each line is a JSON object with "rules" (names and rules, texts or lists), "rule" (the name to ask), "target"
            and "credentials". Each is answered by a line: allow, deny, or fault where the rule has no answer.

              {"rules": {"a": "role:x"}, "rule": "a", "target": {}, "credentials": {"roles": ["x"]}}
            """
    )

    @Option(name: .customLong("default-rule"), help: "The rule that answers for rules that are not defined.")
    var defaultRule = "default"

    func run() throws {
        try PolicyInput.run {
            var number = 0
            while let line = readLine() {
                number += 1
                guard let value = try? JSONValue(parsing: Array(line.utf8)).objectValue else {
                    throw ProgramFailure("line \(number) is no JSON object")
                }
                print(try answer(value, number))
            }
        }
    }

    private func answer(_ line: JSONObject, _ number: Int) throws -> String {
        guard let rules = line["rules"]?.objectValue, let name = line["rule"]?.stringValue else {
            throw ProgramFailure("line \(number) has no \"rules\" or no \"rule\"")
        }
        let table = PolicyRules(
            try rules.members.map { ($0.name, try Self.expression($0.value, number)) },
            fallback: defaultRule
        )
        let target = Values(line["target"]?.objectValue ?? [:])
        let credentials = Values(line["credentials"]?.objectValue ?? [:])
        guard let index = table.index(of: name) else { return "deny" }
        do throws(PolicyFault) {
            return try table.allows(index, target, credentials) ? "allow" : "deny"
        } catch {
            return "fault"
        }
    }

    private static func expression(_ value: JSONValue, _ number: Int) throws -> PolicyExpression {
        switch value {
        case .string(let text): return PolicyExpression(text)
        case .array(let outer):
            return PolicyExpression(
                lists: outer.map { element in
                    switch element {
                    case .string(let text): text.isEmpty ? [] : [text]
                    default: (element.arrayValue ?? []).compactMap(\.stringValue)
                    }
                }
            )
        default: throw ProgramFailure("line \(number): a rule is a text or a list")
        }
    }
}

/// A JSON object as target or credentials.
private struct Values: PolicyTargetValues, PolicyCredentials {
    private let object: JSONObject

    init(_ object: JSONObject) { self.object = object }

    func text(of key: String) -> String? { object[key]?.policyText }

    func hasRole(_ name: String) -> Bool {
        object["roles"]?.arrayValue?.contains { $0.stringValue?.lowercased() == name } ?? false
    }

    func value(of name: String) -> PolicyValue? { object[name].map(Self.value) }

    private static func value(_ value: JSONValue) -> PolicyValue {
        switch value {
        case .array(let values): .list(values.map(Self.value))
        case .object(let object):
            .object(Dictionary(object.members.map { ($0.name, Self.value($0.value)) }) { _, last in last })
        default: .text(value.policyText)
        }
    }
}
