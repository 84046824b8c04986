import ArgumentParser
import ServiceKit

@main
struct APICommand: ConfiguredProgram {
    static let options = APIOptions.all
    static let configuration = CommandConfiguration(
        commandName: "glance-api",
        abstract: "The image service: OpenStack's Image API v2.",
        discussion: """
            Needs a running glance-registry and the key file that both share.

              glance-api --config-file /etc/glance/glance-api.conf
            """,
        subcommands: [ServeCommand.self, UserCommand.self, OptionsCommand<Self>.self],
        defaultSubcommand: ServeCommand.self
    )
}
