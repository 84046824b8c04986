/// The defaults for those who read them: a sample file, and a page of documentation.
public enum PolicyReference {
    /// A policy file in which every rule stands as a comment.
    public static var sample: String {
        var text = """
            # Policy of the image service. Every rule is shown with its default; remove the # in front of the ones to
            # change. A rule in this file replaces its default entirely.

            """
        for value in PolicyDefault.all {
            text += "\n# \(value.purpose)\(value.isForProjects ? " (tokens of projects)" : "")\n"
            if let former = value.former {
                text += "# until \(former.until): \"\(former.check)\", with enforce_new_defaults = false in addition\n"
            }
            text += "#\"\(value.rule.rawValue)\": \"\(value.check)\"\n"
        }
        return text
    }

    /// A table in Markdown.
    public static var markdown: String {
        var text = "| Rule | Default | Guards | Before |\n|---|---|---|---|\n"
        for value in PolicyDefault.all {
            let former = value.former.map { "`\($0.check)` until \($0.until)" } ?? "–"
            let check = value.check.isEmpty ? "empty: everybody" : "`\(value.check)`"
            text += "| `\(value.rule.rawValue)` | \(check) | \(value.purpose) | \(former) |\n"
        }
        return text
    }
}
