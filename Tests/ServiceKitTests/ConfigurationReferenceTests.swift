import ServiceKit
import Testing

@Suite("Configuration reference")
struct ConfigurationReferenceTests {
    private static let port = ConfigurationOption.port(
        "DEFAULT",
        "bind_port",
        default: 9292,
        help: "Port to listen on."
    )
    private static let key = ConfigurationOption.optionalString(
        "database",
        "connection",
        help: "Where the data is: a|b.",
        isSecret: true,
        deprecated: [OptionName("DEFAULT", "sql_connection")]
    )
    private static let methods = ConfigurationOption.list("DEFAULT", "methods", default: ["a", "b"], help: "Offered.")
    private static let prompt = ConfigurationOption.string("DEFAULT", "prompt", default: "$x 5$", help: "Shown first.")
    private static let directories = ConfigurationOption.repeatable(
        "<store>",
        "dir",
        default: ["/a", "/b"],
        help: "Places."
    )
    private static let options = [
        OptionDescription(key), OptionDescription(port), OptionDescription(methods), OptionDescription(prompt),
        OptionDescription(directories),
    ]

    @Test("the reference has a table per section, DEFAULT first")
    func markdown() {
        let text = ConfigurationReference.markdown(
            title: "The API",
            programs: ["glance-api", "glance-scrubber"],
            options: Self.options
        )
        #expect(
            text == """
                ## The API

                Read by `glance-api`, `glance-scrubber`.

                ### `[DEFAULT]`

                | Option | Type | Default | Meaning |
                |---|---|---|---|
                | `bind_port` | port | `9292` | Port to listen on. |
                | `methods` | list | `a,b` | Offered. |
                | `prompt` | string | `$x 5$` | Shown first. |

                ### `[database]`

                | Option | Type | Default | Meaning |
                |---|---|---|---|
                | `connection` | string, secret | – | Where the data is: a\\|b. Formerly [DEFAULT] sql_connection. |

                ### `[<store>]`

                The section's name is chosen by the operator.

                | Option | Type | Default | Meaning |
                |---|---|---|---|
                | `dir` | string, repeatable | `/a`, `/b` | Places. |

                """
        )
    }

    @Test("the sample file sets nothing as it is, and the defaults once its options are uncommented")
    func sample() throws {
        let sample = ConfigurationReference.sampleFile(programs: ["glance-api"], options: Self.options + LogOptions.all)
        let untouched = try ServiceConfiguration(text: sample)
        #expect(untouched.sections == ["DEFAULT", "database"])
        #expect(!untouched.isSet(Self.port))
        let lines = sample.split(separator: "\n").map { line in
            line.hasPrefix("#") && !line.hasPrefix("# ") ? String(line.dropFirst()) : String(line)
        }
        let uncommented = try ServiceConfiguration(text: lines.joined(separator: "\n"))
        #expect(uncommented.isSet(Self.port))
        #expect(try uncommented.value(of: Self.port) == 9292)
        #expect(try uncommented.value(of: Self.key) == nil)
        #expect(try uncommented.value(of: Self.methods) == ["a", "b"])
        #expect(try uncommented.value(of: Self.prompt) == "$x 5$")
        #expect(try uncommented.value(of: Self.directories) == ["/a", "/b"])
        #expect(try uncommented.value(of: LogOptions.levels) == [])
        #expect(uncommented.unknownOptions(known: Self.options + LogOptions.all) == [])
    }
}
