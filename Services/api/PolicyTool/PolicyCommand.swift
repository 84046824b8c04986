import ArgumentParser

@main
struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "glance-policy",
        abstract: "Lists, explains and samples the policy of the image service.",
        discussion: """
            Reads the configuration file of glance-api, and the policy files that it names; asks no service.

              glance-policy list                                  every rule, and where it comes from
              glance-policy check --rule modify_image --roles member,reader --project P --image image.json
              glance-policy sample > policy.yaml                  a file to begin with: all defaults, as comments
            """,
        subcommands: [ListCommand.self, CheckCommand.self, SampleCommand.self, EvaluateCommand.self]
    )
}
