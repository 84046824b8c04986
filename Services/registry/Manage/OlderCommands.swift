/// The older form of commands, which scripts of operators still use: `db_purge 30 100` is
/// `db purge --age_in_days 30 --max_rows 100` (Glance, "glance-manage").
enum OlderCommands {
    private enum Word {
        case option(String)
        /// Any text that is not empty means yes.
        case flag(String)
    }

    private static let age = [Word.option("--age_in_days"), .option("--max_rows")]
    /// What the words after a command stand for, one after the other.
    private static let commands: [String: [Word]] = [
        "db_version": [], "db_check": [], "db_sync": [.option("--version")], "db_expand": [], "db_migrate": [],
        "db_contract": [], "db_upgrade": [.option("--version")],
        "db_purge": age, "db_purge_images_table": age, "db_unload_metadefs": [],
        "db_load_metadefs": [.option("--path"), .flag("--merge"), .flag("--prefer_new"), .flag("--overwrite")],
        "db_export_metadefs": [.option("--path")],
    ]

    /// The arguments in today's form; those that are in it already are left alone.
    static func translated(_ arguments: [String]) -> [String] {
        // A configuration file may be called like a command.
        let place = arguments.indices.first { index in
            commands[arguments[index]] != nil && (index == 0 || !arguments[index - 1].hasPrefix("--config-"))
        }
        guard let place, var words = commands[arguments[place]]?[...] else { return arguments }
        var result = arguments[..<place] + ["db", String(arguments[place].dropFirst("db_".count))]
        let rest = arguments[(place + 1)...]
        guard !rest.contains(where: { $0.hasPrefix("--") }) else { return Array(result + rest) }
        for argument in rest {
            switch words.popFirst() {
            case .option(let name): if !argument.isEmpty { result += [name, argument] }
            case .flag(let name): if !argument.isEmpty { result.append(name) }
            // One too many, which is for the command to refuse.
            case nil: result.append(argument)
            }
        }
        return Array(result)
    }
}
