import ArgumentParser
import Policy

struct SampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Prints a policy file in which every default stands as a comment.",
        discussion: "With --markdown, the same as a page of documentation."
    )

    @Flag(help: "Print a table in Markdown instead of a file.")
    var markdown = false

    func run() { print(markdown ? PolicyReference.markdown : PolicyReference.sample, terminator: "") }
}
