import ServiceKit
import Testing

private enum Strategy: String, CaseIterable, Sendable { case keystone, noauth }

@Suite("Configuration options")
struct ConfigurationOptionTests {
    /// The value that a text in a file gives.
    private func value<Value>(_ option: ConfigurationOption<Value>, _ written: String) throws -> Value {
        try ServiceConfiguration(text: "[s]\no = \(written)\n", path: "f").value(of: option)
    }

    private func isRefused<Value>(_ option: ConfigurationOption<Value>, _ written: String) -> Bool {
        do {
            _ = try value(option, written)
            return false
        } catch {
            return error is ConfigurationError
        }
    }

    // MARK: Types

    @Test("booleans take oslo's words in any case", arguments: ["true", "TRUE", "Yes", "on", "1"])
    func trueWords(_ word: String) throws {
        #expect(try value(.boolean("s", "o", default: false, help: ""), word))
    }

    @Test("booleans take oslo's words for false", arguments: ["false", "False", "NO", "off", "0"])
    func falseWords(_ word: String) throws {
        #expect(try !value(.boolean("s", "o", default: true, help: ""), word))
    }

    @Test("integers keep to their range, and an empty text is the default")
    func integers() throws {
        let option = ConfigurationOption.integer("s", "o", default: 5, in: 0...32, help: "")
        #expect(try value(option, "32") == 32)
        #expect(try value(option, "") == 5)
        for text in ["33", "-1", "x", "1.5", "99999999999999999999"] { #expect(isRefused(option, text), "\(text)") }
        #expect(try value(.integer("s", "o", default: 1, in: 1...Int.max, help: ""), "9223372036854775807") == Int.max)
        #expect(try value(.optionalInteger("s", "o", help: ""), "-3") == -3)
        #expect(try value(.optionalInteger("s", "o", help: ""), "") == nil)
    }

    @Test("floats are finite")
    func floats() throws {
        let option = ConfigurationOption.float("s", "o", default: 60, help: "")
        #expect(try value(option, "0.5") == 0.5)
        for text in ["nan", "inf", "x"] { #expect(isRefused(option, text), "\(text)") }
    }

    @Test("durations are seconds, with decimals if need be")
    func durations() throws {
        let option = ConfigurationOption.duration("s", "o", default: .seconds(60), help: "")
        #expect(try value(option, "300") == .seconds(300))
        #expect(try value(option, "0.25") == .milliseconds(250))
        for text in ["-1", "nan", "1e300", "5s"] { #expect(isRefused(option, text), "\(text)") }
        #expect(isRefused(.duration("s", "o", default: .seconds(1), atLeast: .seconds(1), help: ""), "0"))
    }

    @Test(
        "byte sizes take units in powers of 1024",
        arguments: [
            ("0", 0), ("10", 10), ("10B", 10), ("2KB", 2048), ("3 mb", 3 << 20), ("1GB", 1 << 30), ("1TB", 1 << 40),
        ]
    )
    func byteCounts(_ text: String, _ bytes: Int64) throws {
        #expect(try value(.byteCount("s", "o", default: 7, help: ""), text) == bytes)
    }

    @Test(
        "byte sizes that cannot be counted are refused",
        arguments: ["-1", "1.5GB", "9999999999TB", "GB", "5 apples", "٣"]
    )
    func badByteCounts(_ text: String) {
        #expect(isRefused(.byteCount("s", "o", default: 7, help: ""), text))
    }

    @Test("lists may be bounded only where that is allowed")
    func lists() throws {
        let plain = ConfigurationOption.list("s", "o", default: ["x"], help: "")
        let bounded = ConfigurationOption.list("s", "o", default: ["x"], mayBeBounded: true, help: "")
        #expect(try value(plain, "a, b,,c ,") == ["a", "b", "c"])
        #expect(try value(plain, "a,\n  b") == ["a", "b"])
        #expect(try value(plain, "") == [])
        #expect(try value(bounded, "[a, 'b', \"c\"]") == ["a", "b", "c"])
        #expect(try value(bounded, "a,b") == ["a", "b"])
        #expect(try value(bounded, "[]") == [])
        #expect(isRefused(bounded, "[a,b"))
    }

    @Test("dictionaries keep their order, and values may hold colons")
    func dictionaries() throws {
        let option = ConfigurationOption.dictionary("s", "o", help: "")
        #expect(
            try value(option, "slow:file, fast : rbd,web:http://x:80,slow:s3")
                == [OptionPair("slow", "s3"), OptionPair("fast", "rbd"), OptionPair("web", "http://x:80")]
        )
        #expect(try value(option, "") == [])
        #expect(isRefused(option, "a"))
        #expect(isRefused(option, ":a"))
    }

    @Test("a repeatable option keeps every occurrence of every file; any other keeps the last")
    func repetition() throws {
        let directory = TemporaryDirectory()
        let configuration = try ServiceConfiguration.load(files: [
            directory.write("a", "[s]\no = 1\no = 2\n"), directory.write("b", "[s]\no = 3\n"),
        ])
        #expect(try configuration.value(of: ConfigurationOption.repeatable("s", "o", help: "")) == ["1", "2", "3"])
        #expect(try configuration.value(of: ConfigurationOption.string("s", "o", default: "", help: "")) == "3")
    }

    @Test("choices are closed and exact")
    func choices() throws {
        let words = ConfigurationOption.choice("s", "o", of: ["a", "b"], default: "a", help: "")
        #expect(try value(words, "b") == "b")
        #expect(isRefused(words, "B"))
        #expect(try value(.choice("s", "o", default: Strategy.noauth, help: ""), "keystone") == .keystone)
        let optional = ConfigurationOption<Strategy?>.optionalChoice("s", "o", help: "")
        #expect(try value(optional, "noauth") == .noauth)
        #expect(try value(optional, "") == nil)
        #expect(isRefused(optional, "other"))
    }

    @Test("an option of an operator's section is read from there, aliases too")
    func dynamicSection() throws {
        let option = ConfigurationOption.string(
            "<store>",
            "region",
            default: "none",
            help: "",
            deprecated: [OptionName("<store>", "os_region")]
        )
        let configuration = try ServiceConfiguration(text: "[fast]\nregion = a\n[slow]\nos_region = b\n")
        let values = try ["fast", "slow", "other"].map { try configuration.value(of: option.inSection($0)) }
        #expect(values == ["a", "b", "none"])
    }

    // MARK: Errors

    @Test("a refused value is told with file, line, option and what is accepted")
    func fileError() throws {
        let configuration = try ServiceConfiguration(
            text: "[DEFAULT]\n\nbind_port = 99999\n",
            path: "/etc/glance/api.conf"
        )
        let error = #expect(throws: ConfigurationError.self) {
            try configuration.value(of: ConfigurationOption.port("DEFAULT", "bind_port", default: 9292, help: ""))
        }
        #expect(
            error?.message == "/etc/glance/api.conf:3: [DEFAULT] bind_port: '99999' is not accepted: "
                + "a port between 1 and 65535 is expected"
        )
    }

    @Test("a refused value from the environment is told with its variable")
    func environmentError() throws {
        let configuration = try ServiceConfiguration(text: "", environment: ["OS_DEFAULT__DEBUG": "maybe\nnot"])
        let error = #expect(throws: ConfigurationError.self) { try configuration.value(of: LogOptions.debug) }
        #expect(
            error?.message == #"environment OS_DEFAULT__DEBUG: [DEFAULT] debug: 'maybe\nnot' is not accepted: "#
                + "one of true, false, yes, no, on, off, 1, 0 is expected"
        )
    }

    @Test("no error shows a secret, neither its own nor one that was substituted into it")
    func secrets() throws {
        let secret = ConfigurationOption<Int>(
            "s",
            "key",
            type: "key",
            default: 0,
            shownAs: nil,
            help: "",
            accepted: "a base64 key",
            isSecret: true
        ) { Int($0) }
        let configuration = try ServiceConfiguration(
            text: "[s]\nkey = hunter2\nport = $key\n",
            path: "f",
            environment: ["OS_T__KEY": "hunter2"]
        )
        let errors = [
            #expect(throws: ConfigurationError.self) { try configuration.value(of: secret) },
            #expect(throws: ConfigurationError.self) { try configuration.value(of: secret.inSection("t")) },
            #expect(throws: ConfigurationError.self) {
                try configuration.value(of: ConfigurationOption.port("s", "port", default: 1, help: ""))
            },
        ]
        #expect(
            errors.map { $0?.message } == [
                "f:2: [s] key: the value (a secret, not shown) is not accepted: a base64 key is expected",
                "environment OS_T__KEY: [t] key: the value (a secret, not shown) is not accepted: a base64 key is expected",
                "f:3: [s] port: '$key' is not accepted: a port between 1 and 65535 is expected",
            ]
        )
    }

    @Test("a refusal by the program has the same form")
    func refusal() throws {
        let option = ConfigurationOption.string("s", "o", default: "", help: "")
        let configuration = try ServiceConfiguration(text: "[s]\no = 1\n", path: "f")
        #expect(configuration.refusal(of: option, because: "no such store").message == "f:2: [s] o: no such store")
        let other = configuration.refusal(of: option.inSection("t"), because: "it must be set")
        #expect(other.message == "[t] o: it must be set")
    }
}
