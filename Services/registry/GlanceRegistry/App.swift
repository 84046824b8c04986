import ArgumentParser
import ServiceKit

@main
struct RegistryCommand: ConfiguredProgram {
    static let options = RegistryOptions.all
    static let configuration = CommandConfiguration(
        commandName: "glance-registry",
        abstract: "Keeps the records of the image service and answers glance-api.",
        discussion: """
            The database must be migrated first:

              glance-manage --config-file /etc/glance/glance-registry.conf db sync
              glance-registry --config-file /etc/glance/glance-registry.conf
            """,
        subcommands: [ServeCommand.self, OptionsCommand<Self>.self],
        defaultSubcommand: ServeCommand.self
    )
}
