import ArgumentParser
import ServiceKit

@main
struct RegistryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "glance-registry",
        abstract: "Keeps the records of the image service and answers glance-api.",
        discussion: """
            The database must be migrated first:

              glance-manage --config-file /etc/glance/glance-registry.conf db sync
              glance-registry --config-file /etc/glance/glance-registry.conf
            """,
        subcommands: [ServeCommand.self, OptionsCommand.self],
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
        let text = ConfigurationReference.text(of: "glance-registry", options: RegistryOptions.all, asSample: sample)
        print(text, terminator: "")
    }
}
