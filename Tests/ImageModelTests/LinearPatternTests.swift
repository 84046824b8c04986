import Testing

@testable import ImageModel

@Suite("Linear patterns")
struct LinearPatternTests {
    static let table: [(pattern: String, found: [String], missed: [String])] = [
        ("^x_.*", ["x_", "x_1"], ["ax_", ""]), ("x", ["axb"], ["y"]), ("^(a|bc)+$", ["a", "bca"], ["", "b", "ab"]),
        ("a{2,3}$", ["aa", "baaa"], ["a", "aab"]), ("^a{,2}$", ["", "aa"], ["aaa"]), ("a{x", ["a{x"], ["ax"]),
        ("^[a-c_-]+$", ["a-_c"], ["d"]), ("[^0-9]", ["a1"], ["12"]), ("^[]x]$", ["]", "x"], ["y"]),
        ("\\d{3}", ["a123"], ["a12"]), ("\\bcat\\b", ["a cat"], ["concat"]), ("^\\w+$", ["ä_1"], ["a b"]),
        ("(?i)ABC", ["xabc", "aBc"], ["ab"]), ("a.c", ["abc"], ["a\nc"]), ("^(?:a|)b$", ["ab", "b"], ["a"]),
        ("(?P<n>a)b", ["ab"], ["b"]), ("a*?b", ["b", "aab"], ["a"]), ("\\.x\\x41", [".xA"], ["axA"]),
        ("", ["", "x"], []),
        ("^(a*)*$", ["", "aaa"], ["b"]), ("a\\Z", ["a"], ["a\n"]), ("a$", ["a\n"], ["a\n\n"]),
        ("^([0-9a-f]){8}-x$", ["0123abcd-x"], ["0123abcd-xx", "0123abc-x", "0123ABCD-x"]),
        ("^a|b$", ["ax", "xb", "ab"], ["xa", "bx", ""]), ("^(a|b|cd)*$", ["", "abcd", "cdcd"], ["c", "abc"]),
        ("^a?b+c{2}$", ["bcc", "abbcc"], ["acc", "abc"]), ("^a{2,}?$", ["aa", "aaaaa"], ["a"]),
        ("^a{0}$", [""], ["a"]), ("^.$", ["é", "\u{1F600}"], ["", "ab"]), ("^[-a]+$", ["-a-"], ["b"]),
        ("^[\\d.]+$", ["1.2"], ["1a"]), ("^\\w\\W\\s\\S\\D$", ["a- xx"], ["aaaaa"]),
        ("\\.\\$\\/", [".$/"], ["x$/"]), ("^[0-9]+(,[0-9]+)*$", ["1", "1,22,3"], ["", "1,", ",1"]),
        ("é", ["xéx"], ["e"]), ("^(|a)b$", ["b", "ab"], ["aab"]), ("^(a{0}){1000}$", [""], ["a"]),
    ]

    @Test("an expression is found where Python finds it", arguments: table)
    func search(row: (pattern: String, found: [String], missed: [String])) throws {
        let pattern = try LinearPattern(row.pattern)
        for text in row.found { #expect(pattern.isFound(in: text), "\(row.pattern) in \(text)") }
        for text in row.missed { #expect(!pattern.isFound(in: text), "\(row.pattern) in \(text)") }
    }

    @Test(
        "what is malformed, needs going back or is too large is refused",
        arguments: [
            "(", ")", "a)", "(a", "[", "[a", "*a", "+a", "a**", "a{3,2}", "(?=a)", "(?!a)", "(?<n>a)", "(a)\\1", "a++",
            "\\q", "[z-a]", "\\", "a{2000}", "(?P<n", "^*", "$+", "((a{900}){900}){900}", "((a{255}){255}){255}",
            "((((a{0}){1000}){1000}){1000}){1000}", "(((){1000}){1000}){1000}", "[abcdefghijklmnopqrst]{1000}",
            String(repeating: "(", count: 10_000) + String(repeating: ")", count: 10_000),
        ]
    )
    func refused(_ pattern: String) {
        #expect(throws: LinearPatternError.self) { try LinearPattern(pattern) }
    }

    @Test("a long list of names is no large expression")
    func list() throws {
        let names = (0..<500).map { "vendor\($0)" }
        let pattern = try LinearPattern("^(\(names.joined(separator: "|")))$")
        #expect(names.allSatisfy { pattern.isFound(in: $0) })
        #expect(!pattern.isFound(in: "vendor500"))
    }

    @Test("an expression over which others despair takes no time", .timeLimit(.minutes(1)))
    func despair() throws {
        let text = String(repeating: "a", count: 5_000) + "!"
        for pattern in ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(a*)*b", "(.*)(.*)(.*)(.*)(.*)x$"] {
            #expect(try !LinearPattern(pattern).isFound(in: text))
        }
    }

    @Test("what a search costs grows with the text and with what is written out of the expression")
    func costs() throws {
        let small = try LinearPattern("^a{10}$")
        let large = try LinearPattern("^(.{0,200}){0,5}x$")
        #expect(small.cost(of: "aaaa") < small.cost(of: "aaaaa"))
        #expect(large.cost(of: "") > 2_000)
        #expect(large.cost(of: String(repeating: "a", count: 6_000)) > 12_000_000)
    }

    @Test("a budget is spent once, and covers no more than is left")
    func budget() throws {
        let pattern = try LinearPattern("^a{10}$")
        let text = String(repeating: "a", count: 10)
        var budget = PatternBudget(steps: pattern.cost(of: text) * 2)
        #expect(budget.finds(pattern, in: text) == true)
        #expect(budget.finds(pattern, in: text + "a") == nil)
        #expect(budget.finds(pattern, in: text) == true)
        #expect(budget.finds(pattern, in: "") == nil)
    }
}
