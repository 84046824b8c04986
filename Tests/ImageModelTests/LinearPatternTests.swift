import ImageModel
import Testing

@Suite("Patterns of definitions")
struct LinearPatternTests {
    @Test(
        "an expression matches what it should",
        arguments: [
            ("^([0-9a-f]){8}-x$", ["0123abcd-x"], ["0123abcd-xx", "0123abc-x", "0123ABCD-x"]),
            ("abc", ["abc", "xabcx"], ["ab", "", "acb"]), ("", ["", "x"], []), ("^$", [""], ["x"]),
            ("^a|b$", ["ax", "xb", "ab"], ["xa", "bx", ""]), ("^(a|b|cd)*$", ["", "abcd", "cdcd"], ["c", "abc"]),
            ("^a?b+c{2}$", ["bcc", "abbcc"], ["acc", "abc"]), ("^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]),
            ("^a{2,}?$", ["aa", "aaaaa"], ["a"]), ("^a{0}$", [""], ["a"]),
            ("^.$", ["é", "\u{1F600}"], ["", "ab", "\n"]),
            ("^[^a-c]$", ["d", "-"], ["a", "b", "c"]), ("^[-a]+$", ["-a-"], ["b"]), ("^[a-]+$", ["-a-"], ["b"]),
            ("^[\\d.]+$", ["1.2"], ["1a"]), ("^\\w\\W\\s\\S\\D$", ["a- xx"], ["aaaaa"]),
            ("\\.\\$\\/", [".$/"], ["x$/"]),
            ("^(?:ab)+$", ["abab"], ["aba"]), ("^[0-9]+(,[0-9]+)*$", ["1", "1,22,3"], ["", "1,", ",1"]),
            ("é", ["xéx"], ["e"]), ("^(|a)b$", ["b", "ab"], ["aab"]), ("^(a*)*$", ["", "aaa"], ["b"]),
        ]
    )
    func matching(_ text: String, _ matches: [String], _ others: [String]) throws {
        let pattern = try #require(LinearPattern(text))
        for match in matches { #expect(pattern.matches(match), "\(text) on \(match)") }
        for other in others { #expect(!pattern.matches(other), "\(text) on \(other)") }
    }

    @Test(
        "what is not of the dialect is no pattern",
        arguments: [
            "(", ")", "a)", "(a", "[", "[a", "[b-a]", "*", "+a", "a**", "a{", "a{x}", "a{2,1}", "a{256}", "a}", "\\",
            "\\1",
            "\\b", "(?=a)", "(?!a)", "(?<n>a)", "\\k", "\\u0041", "^*", "$+", "((a{255}){255}){255}",
        ]
    )
    func refused(_ text: String) { #expect(LinearPattern(text) == nil) }

    @Test("groups may not be nested without end")
    func depth() {
        let deep = String(repeating: "(", count: 10_000) + String(repeating: ")", count: 10_000)
        #expect(LinearPattern(deep) == nil)
    }

    @Test("an expression over which others despair takes no time")
    func despair() throws {
        let text = String(repeating: "a", count: 20_000) + "!"
        for pattern in ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(a*)*b"] {
            let expression = try #require(LinearPattern(pattern))
            let duration = ContinuousClock().measure { #expect(!expression.matches(text)) }
            #expect(duration < .seconds(20), "\(pattern) took \(duration)")
        }
    }
}
