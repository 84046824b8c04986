import ServiceKit
import Testing

@Suite("Configuration files")
struct ConfigurationFileTests {
    private func text(_ name: String, in section: String = "DEFAULT") -> ConfigurationOption<String?> {
        .optionalString(section, name, help: "For a test.")
    }

    // MARK: The format

    @Test(
        "each way to write a value is read as oslo.config reads it",
        arguments: [
            ("a = b", "b"), ("a=b", "b"), ("a: b", "b"), ("a = b : c", "b : c"), ("a : b = c", "b = c"),
            ("a = \"b c\"", "b c"),
            ("a = 'b'", "b"), ("a = 'b", "'b"), ("a = b # c", "b # c"), ("a = b\r", "b"), ("a = b  \t", "b"),
            ("a = b,\n  c,\n\td", "b,\nc,\nd"), ("a = b\n\n# c", "b"), ("# a = x\n; a = y\na = b", "b"),
            ("a = b\n# between\na = c", "c"), ("a = ü€😀", "ü€😀"), ("\n  # indented comment\na = b", "b"),
        ]
    )
    func format(_ written: String, _ value: String) throws {
        let configuration = try ServiceConfiguration(text: "[DEFAULT]\n\(written)\n")
        #expect(try configuration.value(of: text("a")) == value)
    }

    @Test(
        "a malformed line is refused with file and line, and is not repeated",
        arguments: [
            ("hunter2 = 1", 1, "section"), ("[DEFAULT]\nhunter2", 2, "no '='"), ("[hunter2", 1, "enclosed in [ and ]"),
            ("[]", 1, "no name"), ("[a]\n = hunter2", 2, "continues"), ("[a]\n= hunter2", 2, "no option name"),
            ("[a]\n\n\nx = 1\n\n  hunter2", 6, "continues"),
        ]
    )
    func malformed(_ written: String, _ line: Int, _ reason: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try ServiceConfiguration(text: written, path: "/etc/glance/glance-api.conf")
        }
        let message = error?.message ?? ""
        #expect(message.hasPrefix("/etc/glance/glance-api.conf:\(line): "))
        #expect(message.contains(reason))
        #expect(!message.contains("hunter2"))
    }

    @Test("text that is not UTF-8 is refused with its line")
    func notUTF8() {
        let error = #expect(throws: ConfigurationError.self) {
            try INIFile(bytes: Array("[a]\nx = ".utf8) + [0xFF, 0x0A], path: "f")
        }
        #expect(error?.message == "f:2: the line is not UTF-8 text")
    }

    @Test("sections may repeat, and keep the order of first appearance")
    func repeatedSections() throws {
        let file = try INIFile(bytes: Array("[b]\nx = 1\n[a]\n[b]\ny = 2\n".utf8), path: "f")
        #expect(file.sections == ["b", "a"])
        #expect(file.entries.map(\.line) == [2, 5])
        #expect(file.entries.allSatisfy { $0.section == "b" })
    }

    // MARK: Precedence

    @Test("later files win, directories come after files by name, the environment wins over all")
    func precedence() throws {
        let directory = TemporaryDirectory()
        let first = directory.write("first", "[DEFAULT]\na = first\nb = first\nc = first\nd = first\n")
        let second = directory.write("second", "[DEFAULT]\nb = second\nc = second\nd = second\n")
        directory.write("20.conf", "[DEFAULT]\nc = twenty\nd = twenty\n")
        directory.write("10.conf", "[DEFAULT]\nc = ten\n")
        directory.write("90.conf.bak", "[DEFAULT]\nc = backup\n")
        let configuration = try ServiceConfiguration.load(
            files: [first, second],
            directories: [directory.path],
            environment: ["OS_DEFAULT__D": "environment"]
        )
        let values = try ["a", "b", "c", "d"].map { try configuration.value(of: text($0)) }
        #expect(values == ["first", "second", "twenty", "environment"])
        #expect(configuration.origin(of: text("c")) == .file("\(directory.path)/20.conf", line: 2))
        #expect(configuration.origin(of: text("d")) == .environment("OS_DEFAULT__D"))
    }

    @Test("a file or directory that is missing is named")
    func missing() {
        let file = #expect(throws: ConfigurationError.self) {
            try ServiceConfiguration.load(files: ["/nonexistent/a.conf"])
        }
        #expect(file?.message == "/nonexistent/a.conf: cannot be opened: No such file or directory")
        let directory = #expect(throws: ConfigurationError.self) {
            try ServiceConfiguration.load(files: [], directories: ["/nonexistent"])
        }
        #expect(directory?.message.hasPrefix("/nonexistent: cannot be read as a directory") == true)
    }

    @Test("the environment reaches sections that no file has, whatever their case")
    func environmentSection() throws {
        let configuration = try ServiceConfiguration(
            text: "",
            environment: ["OS_GLANCE_STORE__DEFAULT_BACKEND": "fast"]
        )
        #expect(try configuration.value(of: text("default_backend", in: "glance_store")) == "fast")
        #expect(configuration.isSet(text("default_backend", in: "glance_store")))
        #expect(configuration.sections == [])
    }

    @Test("sections that differ in case only are one, except DEFAULT")
    func sectionCase() throws {
        let configuration = try ServiceConfiguration(text: "[Fast]\na = 1\n[default]\nb = 2\n")
        #expect(try configuration.value(of: text("a", in: "fast")) == "1")
        #expect(configuration.isSet(text("b")) == false)
    }

    @Test("a deprecated name is read, and loses to the proper one of the same file but not of an earlier one")
    func deprecatedNames() throws {
        let option = ConfigurationOption.string(
            "image_format",
            "disk_formats",
            default: "none",
            help: "",
            deprecated: [OptionName("DEFAULT", "disk_formats")]
        )
        let both = "[DEFAULT]\ndisk_formats = old\n[image_format]\ndisk_formats = new\n"
        #expect(try ServiceConfiguration(text: "[DEFAULT]\ndisk_formats = old").value(of: option) == "old")
        #expect(try ServiceConfiguration(text: both).value(of: option) == "new")
        let directory = TemporaryDirectory()
        let files = [
            directory.write("a", "[image_format]\ndisk_formats = new\n"),
            directory.write("b", "[DEFAULT]\ndisk_formats = old\n"),
        ]
        #expect(try ServiceConfiguration.load(files: files).value(of: option) == "old")
    }

    // MARK: Substitution

    @Test(
        "names after a dollar sign are replaced by their values",
        arguments: [
            ("$host:9292", "local:9292"), ("${host}name", "localname"), ("$database.user", "glance"),
            ("${database.user}2", "glance2"), ("$own", "section"), ("$shared", "section's"), ("pa$$word", "pa$word"),
            ("pa\\$word", "pa$word"), ("$$host", "$host"), ("$unknown/${unknown}", "$unknown/${unknown}"),
            ("$database.unknown", "$database.unknown"), ("5$", "5$"), ("$5 ${", "$5 ${"), ("$indirect", "local!"),
            ("$a", "$a"), ("$circle", "$circle"), ("see $host.", "see local."), ("$fromenvironment", "yes"),
            ("${my-store.path}", "/srv"),
        ]
    )
    func substitution(_ written: String, _ value: String) throws {
        let configuration = try ServiceConfiguration(
            text: """
                [DEFAULT]
                host = local
                shared = default's
                indirect = $host!
                circle = $circle2
                circle2 = $circle
                [database]
                user = glance
                [my-store]
                path = /srv
                [section]
                own = section
                shared = section's
                a = \(written)
                """,
            environment: ["OS_DEFAULT__FROMENVIRONMENT": "yes"]
        )
        #expect(try configuration.value(of: text("a", in: "section")) == value)
    }

    // MARK: Unknown options

    @Test("options that nothing reads are listed once, with the line that sets them last")
    func unknown() throws {
        let configuration = try ServiceConfiguration(
            text: """
                [DEFAULT]
                bind_port = 1
                bind_prot = 2
                bind_prot = 3
                logfile = x
                [fast]
                weight = 1
                wieght = 2
                [Database]
                connection = x
                weight = 1
                """,
            path: "api.conf"
        )
        let known = [
            OptionDescription(ConfigurationOption.port("DEFAULT", "bind_port", default: 1, help: "")),
            OptionDescription(ConfigurationOption.integer("<store>", "weight", default: 0, help: "")),
            OptionDescription(text("connection", in: "database")),
        ]
        let unknown = configuration.unknownOptions(known: known + LogOptions.all)
        #expect(
            unknown.map(\.description) == [
                "api.conf:4: [DEFAULT] bind_prot is not known here and has no effect",
                "api.conf:11: [Database] weight is not known here and has no effect",
                "api.conf:8: [fast] wieght is not known here and has no effect",
            ]
        )
    }
}
