import PolicyLanguage
import Testing

struct Target: PolicyTargetValues {
    var values: [String: String] = [:]

    func text(of key: String) -> String? { values[key] }
}

struct Credentials: PolicyCredentials {
    var roles: Set<String> = []
    var values: [String: PolicyValue] = [:]

    func hasRole(_ name: String) -> Bool { roles.contains(name) }
    func value(of name: String) -> PolicyValue? { values[name] }
}

let target = Target(values: [
    "project_id": "p", "owner": "p", "visibility": "public", "protected": "True", "none": "None",
])
let credentials = Credentials(
    roles: ["member", "reader", "compute:admin"],
    values: [
        "project_id": .text("p"), "user_id": .text("u"), "absent": .text("None"),
        "user": .object(["domain": .object(["id": .text("d")]), "groups": .list([.text("g1"), .text("g2")])]),
        "teams": .list([.object(["name": .text("red")]), .object(["name": .text("blue")])]),
    ]
)

/// `y`, `n`, or `!` where there is no answer.
func answer(_ text: String, others: [(String, String)] = [], fallback: String? = nil) -> String {
    let rules = PolicyRules(
        (others + [("asked", text)]).map { (name: $0.0, expression: PolicyExpression($0.1)) },
        fallback: fallback
    )
    guard let index = rules.index(of: "asked") else { return "n" }
    do throws(PolicyFault) {
        return try rules.allows(index, target, credentials) ? "y" : "n"
    } catch {
        return "!"
    }
}

@Suite("Policy rules")
struct PolicyRulesTests {
    static let table: [(text: String, answer: String)] = [
        ("", "y"), ("@", "y"), ("!", "n"), (" ", "n"), ("not !", "y"), ("not not @", "y"), ("not not not @", "n"),
        ("role:member", "y"), ("role:MEMBER", "y"), ("role:admin", "n"), ("role:compute:admin", "y"),
        ("role:%(visibility)s", "n"), ("role:%(missing)s", "n"),
        ("project_id:%(project_id)s", "y"), ("project_id:p", "y"), ("project_id:%(missing)s", "n"),
        ("project_id:%%", "n"), ("missing:p", "n"), ("absent:%(none)s", "y"), ("user_id:u", "y"),
        ("'public':%(visibility)s", "y"), ("\"public\":%(visibility)s", "y"), ("'private':%(visibility)s", "n"),
        ("True:%(protected)s", "y"), ("False:%(protected)s", "n"), ("None:%(none)s", "y"), ("5:5", "y"), ("05:5", "!"),
        ("0x10:16", "y"), ("1_000:1000", "y"), ("1.50:1.5", "y"), ("-0:0", "y"), ("[]:[]", "y"),
        ("user.domain.id:d", "y"), ("user.domain.id:e", "n"), ("user.groups:g2", "y"), ("user.groups:g3", "n"),
        ("teams.name:blue", "y"), ("teams.name:green", "n"), ("user.nothing.id:d", "n"), ("user_id.x:u", "!"),
        ("user_id.x:u or @", "!"), ("@ or user_id.x:u", "y"), ("! and user_id.x:u", "n"), ("not user_id.x:u", "!"),
        ("a..b:c", "!"), (".:c", "!"), ("not .:c", "!"), ("is:x", "!"), ("a+b:x", "n"), ("a:%s", "n"), (":c", "!"),
        ("a:%(b", "!"), ("a:%d", "!"), ("a:50%", "!"),
        ("@ and !", "n"), ("! or @", "y"), ("! and ! or @", "y"), ("@ or ! and !", "y"), ("(@ or !) and !", "n"),
        ("not ! and !", "n"), ("not (! and !)", "y"), ("@ AND Not !", "y"), ("((((@))))", "y"), ("( @ )", "y"),
        ("word", "n"), ("not word", "y"), ("@ or word", "y"), ("'quoted'", "n"), ("not 'quoted'", "n"),
        ("('quoted')", "n"), ("not ('quoted')", "y"), ("@ @", "n"), ("@ and", "n"), ("and @", "n"), ("(@", "n"),
        ("@)", "n"), ("()", "n"), ("@ or ()", "n"), ("not", "n"), ("@ not @", "n"), ("@\tor\n!", "y"),
        ("http://127.0.0.1/x", "!"), ("@ or https://127.0.0.1/x", "y"),
    ]

    @Test("a rule holds as oslo.policy says", arguments: table)
    func answers(row: (text: String, answer: String)) {
        #expect(answer(row.text) == row.answer, "\(row.text)")
    }

    @Test("a rule asks others, and who is not defined is answered for by the fallback")
    func references() {
        #expect(answer("rule:a", others: [("a", "role:member")]) == "y")
        #expect(answer("not rule:a and rule:b", others: [("a", "!"), ("b", "rule:a or @")]) == "y")
        #expect(answer("rule:missing", others: [("default", "")]) == "n")
        #expect(answer("rule:missing", others: [("default", "")], fallback: "default") == "y")
        #expect(answer("rule:missing", fallback: "default") == "n")
    }

    @Test("rules in a circle have no answer, and are warned of")
    func circle() {
        #expect(answer("rule:asked") == "!")
        #expect(answer("@ or rule:asked") == "y")
        #expect(answer("rule:a", others: [("a", "rule:b"), ("b", "rule:asked")]) == "!")
        let rules = PolicyRules(
            [("a", "rule:b"), ("b", "rule:a"), ("c", "rule:d")].map { ($0.0, PolicyExpression($0.1)) },
            fallback: nil
        )
        #expect(
            rules.findings.map(\.description) == [
                "rule 'c' asks rule 'd', which is not defined: it never holds",
                "rule 'b' asks rule 'a' in a circle, and is denied when it comes to that",
            ]
        )
    }

    @Test(
        "lists of lists are one of all of them",
        arguments: [
            ([], "y"), ([[]], "n"), ([["@"]], "y"), ([["@", "!"]], "n"), ([["!"], ["@"]], "y"), ([[], ["@"]], "y"),
            ([["role:member", "project_id:p"], ["!"]], "y"),
        ] as [([[String]], String)]
    )
    func lists(row: (lists: [[String]], answer: String)) throws {
        let rules = PolicyRules([("asked", PolicyExpression(lists: row.lists))], fallback: nil)
        #expect(try rules.allows(0, target, credentials) == (row.answer == "y"))
    }

    @Test(
        "a problem names the column",
        arguments: [
            ("@ @", "column 3: 'and' or 'or' is expected here"),
            ("role:a and", "column 9: the rule ends where a check is expected"),
            ("or @", "column 1: a check is expected before 'or'"),
            ("(@ and @", "column 1: '(' is not closed"), ("@)", "column 2: ')' closes nothing"),
            ("@ or 'x'", "column 6: 'x' stands alone: a literal needs ':' and what it is compared with"),
            ("@ or ()", "column 7: a check is expected before ')'"),
            ("@ or word", "column 6: 'word' is no check: one is written kind:match, and this one never holds"),
            ("@ or a:%d", "column 6: 'a:%d' has a % that is neither %(name)s nor %%"),
        ]
    )
    func problems(row: (text: String, problem: String)) throws {
        let problems = PolicyExpression(row.text).problems.map(\.description)
        #expect(problems == [row.problem])
    }

    @Test("no nesting, length or doubling of rules takes more than its bounds")
    func bounds() {
        let deep = 20_000
        #expect(answer(String(repeating: "(", count: deep) + "@" + String(repeating: ")", count: deep)) == "y")
        #expect(answer(String(repeating: "not ", count: deep) + "@") == "y")
        #expect(answer(String(repeating: "! or ", count: deep) + "@") == "!")
        #expect(answer(String(repeating: "@ or ", count: deep) + "@") == "y")
        let doubling = (0..<60).map { ("r\($0)", $0 == 0 ? "!" : "rule:r\($0 - 1) or rule:r\($0 - 1)") }
        #expect(answer("rule:r59", others: doubling) == "!")
        let chain = (0..<200).map { ("c\($0)", $0 == 0 ? "@" : "rule:c\($0 - 1)") }
        #expect(answer("rule:c40", others: chain) == "y")
        #expect(answer("rule:c199", others: chain) == "!")
    }

    @Test("an explanation has the value of every part")
    func explanation() {
        let rules = PolicyRules(
            [("admin", "role:admin"), ("asked", "rule:admin or (role:member and project_id:x and not !)")].map {
                ($0.0, PolicyExpression($0.1))
            },
            fallback: nil
        )
        let lines = PolicyExplanation(1, of: rules, target, credentials).lines.map { line in
            String(repeating: " ", count: line.depth) + line.text + (line.answer == .holds ? " +" : " -")
        }
        #expect(
            lines == [
                "any of -", " rule:admin -", "  role:admin -", " all of -", "  role:member +", "  project_id:x -",
                "  not +",
                "   ! -",
            ]
        )
    }

    /// A service that answers by address, and notes what it was asked.
    private final class Service: PolicyInquirer {
        var asked: [String] = []

        func allows(_ rule: String, at address: String) throws(PolicyFault) -> Bool {
            asked.append("\(rule) \(address)")
            if address.hasSuffix("/broken") { throw PolicyFault("it is away", isOutage: true) }
            return address.hasSuffix("/yes")
        }
    }

    @Test(
        "another service is asked when it comes to it, about the rule that was asked first",
        arguments: [
            ("http://x/yes", "y", ["asked http://x/yes"]), ("https://x/no", "n", ["asked https://x/no"]),
            ("not http://x/no", "y", ["asked http://x/no"]), ("@ or http://x/broken", "y", []),
            ("! and http://x/broken", "n", []), ("http://x/broken or @", "!", ["asked http://x/broken"]),
            ("rule:other", "y", ["asked http://p/yes"]),
            ("http://%(project_id)s/%(visibility)s/yes", "y", ["asked http://p/public/yes"]),
            ("http://%(missing)s/yes", "!", []), ("http://%d/yes", "!", []),
            ("http://x/yes and http://x/no", "n", ["asked http://x/yes", "asked http://x/no"]),
        ] as [(String, String, [String])]
    )
    func remote(_ text: String, _ expected: String, _ asked: [String]) {
        let rules = PolicyRules(
            [("asked", PolicyExpression(text)), ("other", PolicyExpression("http://%(owner)s/yes"))],
            fallback: nil
        )
        let service = Service()
        var answer = "!"
        do throws(PolicyFault) {
            answer = try rules.allows(0, target, credentials, asking: service) ? "y" : "n"
        } catch {
            #expect(error.isOutage == text.contains("broken"))
        }
        #expect(answer == expected)
        #expect(service.asked == asked)
        #expect(rules.haveInquiries)
    }
}
