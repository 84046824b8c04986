public import ArgumentParser

/// A program that reads its options from configuration files.
public protocol ConfiguredProgram: AsyncParsableCommand {
    static var options: [OptionDescription] { get }
}

/// `<program> options`.
public struct OptionsCommand<Program: ConfiguredProgram>: ParsableCommand {
    public static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "options",
            abstract: "Prints every option: a table in Markdown, or a sample file."
        )
    }

    @Flag(help: "Print a configuration file with every option and its default.")
    var sample = false

    public init() {}

    public func run() {
        let program = Program.configuration.commandName ?? Program._commandName
        print(ConfigurationReference.text(of: program, options: Program.options, asSample: sample), terminator: "")
    }
}
