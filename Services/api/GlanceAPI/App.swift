import ArgumentParser
import ServiceKit

@main
struct APICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "glance-api",
        abstract: "The image service: OpenStack's Image API v2.",
        discussion: """
            Needs a running glance-registry and the key file that both share.

              glance-api --config-file /etc/glance/glance-api.conf
            """,
        subcommands: [ServeCommand.self, UserCommand.self, OptionsCommand.self],
        defaultSubcommand: ServeCommand.self
    )
}

struct OptionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "options",
        abstract: "Prints every option: a table in Markdown, or a sample file."
    )

    @Flag(help: "Print a configuration file with every option and its default.")
    var sample = false

    func run() {
        let text = ConfigurationReference.text(of: "glance-api", options: APIOptions.all, asSample: sample)
        print(text, terminator: "")
    }
}
