import ArgumentParser
import Policy
import PolicyLanguage

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Prints every rule as it holds now, and where it comes from.",
        discussion: """
            What may be wrong with the files is printed at the end, each with file and line. A file that is no policy
            file at all ends the program with status 1.
            """
    )

    @OptionGroup var input: PolicyInput

    func run() throws {
        try PolicyInput.run {
            let table = try input.table()
            for name in table.rules.names {
                let text = table.rules.expression(name)?.text ?? ""
                print("\"\(name)\": \"\(text)\"  # \(table.origins[name] ?? "default")")
            }
            for warning in table.warnings { print("# warning: \(warning)") }
        }
    }
}
