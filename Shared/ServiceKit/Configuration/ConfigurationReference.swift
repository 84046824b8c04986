/// Documents made from the options themselves, so that they cannot fall behind the code.
public enum ConfigurationReference {
    /// What a program's `options` command prints: a sample file, or a chapter of the reference.
    public static func text(of program: String, options: [OptionDescription], asSample: Bool) -> String {
        asSample
            ? sampleFile(programs: [program], options: options)
            : markdown(title: program, programs: [program], options: options)
    }

    /// A chapter of the reference: one table per section, `DEFAULT` first, the others in the order given.
    /// The title is a heading of the second level.
    public static func markdown(title: String, programs: [String], options: [OptionDescription]) -> String {
        var text = "## \(title)\n\nRead by \(programs.map { "`\($0)`" }.joined(separator: ", ")).\n"
        for (section, options) in bySection(options) {
            text += "\n### `[\(section)]`\n\n"
            if options.first?.name.isPattern == true {
                text += "The section's name is chosen by the operator.\n\n"
            }
            text += "| Option | Type | Default | Meaning |\n|---|---|---|---|\n"
            for option in options {
                let cells = [
                    "`\(option.name.name)`", option.isSecret ? "\(option.typeName), secret" : option.typeName,
                    defaultCell(option), meaning(option),
                ]
                text += "| \(cells.map(cell).joined(separator: " | ")) |\n"
            }
        }
        return text
    }

    /// A configuration file in which every option stands as a comment with its default.
    public static func sampleFile(programs: [String], options: [OptionDescription]) -> String {
        var text = "# Configuration of \(programs.joined(separator: ", ")).\n"
        text += "# Every option is shown with its default; remove the # in front of the ones to change.\n"
        for (section, options) in bySection(options) {
            // A pattern is no section's name, so its heading is a comment as well.
            text += options.first?.name.isPattern == true ? "\n#[\(section)]\n" : "\n[\(section)]\n"
            for option in options {
                text += "\n"
                for line in wrapped("\(meaning(option)) (\(option.typeName))", columns: 76) { text += "# \(line)\n" }
                for value in option.defaultTexts.isEmpty ? [""] : option.defaultTexts {
                    let assignment = "#\(option.name.name) = \(value.replacing("$", with: "$$"))"
                    text += "\(assignment.trimmed)\n"
                }
            }
        }
        return text
    }

    private static func bySection(_ options: [OptionDescription]) -> [(section: String, options: [OptionDescription])] {
        var sections: [(section: String, options: [OptionDescription])] = []
        for option in options {
            if let index = sections.firstIndex(where: { $0.section == option.name.section }) {
                sections[index].options.append(option)
            } else {
                sections.append((option.name.section, [option]))
            }
        }
        let isDefault = { (section: (section: String, options: [OptionDescription])) in section.section == "DEFAULT" }
        return sections.filter(isDefault) + sections.filter { !isDefault($0) }
    }

    private static func meaning(_ option: OptionDescription) -> String {
        guard !option.deprecated.isEmpty else { return option.help }
        return "\(option.help) Formerly \(option.deprecated.map(\.description).joined(separator: ", "))."
    }

    private static func defaultCell(_ option: OptionDescription) -> String {
        guard !option.defaultTexts.isEmpty else { return "–" }
        return option.defaultTexts.map { $0.isEmpty ? "empty" : "`\($0)`" }.joined(separator: ", ")
    }

    private static func cell(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("\n", with: " ")
    }

    private static func wrapped(_ text: String, columns: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            if let line = lines.last, line.count + 1 + word.count <= columns {
                lines[lines.count - 1] = "\(line) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
