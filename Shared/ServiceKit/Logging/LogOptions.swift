public import Logging

/// The options of oslo.log that every program reads. Rotation is left to logrotate: see ``LogSink``.
public enum LogOptions {
    public static let debug = ConfigurationOption.boolean(
        "DEFAULT",
        "debug",
        default: false,
        help: "Log at level DEBUG instead of INFO."
    )
    public static let logFile = ConfigurationOption.optionalString(
        "DEFAULT",
        "log_file",
        help: "File to append the log to; a relative name is within log_dir. Standard error when neither is set. "
            + "A file that is moved away is opened anew within a second.",
        deprecated: [OptionName("DEFAULT", "logfile")]
    )
    public static let logDirectory = ConfigurationOption.optionalString(
        "DEFAULT",
        "log_dir",
        help: "Directory of the log file, which is named after the program unless log_file is set.",
        deprecated: [OptionName("DEFAULT", "logdir")]
    )
    public static let useJSON = ConfigurationOption.boolean(
        "DEFAULT",
        "use_json",
        default: false,
        help: "Write each line as a JSON object."
    )
    public static let useStandardError = ConfigurationOption.boolean(
        "DEFAULT",
        "use_stderr",
        default: false,
        help: "Write to standard error even when there is a log file."
    )
    public static let levels = ConfigurationOption<[LoggerLevel]>(
        "DEFAULT",
        "default_log_levels",
        type: "list",
        default: [],
        shownAs: "",
        help: "Levels of single loggers and those below them, as 'logger=LEVEL, logger=LEVEL'.",
        accepted: "a list 'logger=LEVEL' with DEBUG, INFO, WARNING, ERROR or CRITICAL",
        parse: { LoggerLevel.list($0) }
    )

    public static let all: [OptionDescription] = [
        OptionDescription(debug), OptionDescription(logFile), OptionDescription(logDirectory),
        OptionDescription(useJSON),
        OptionDescription(useStandardError), OptionDescription(levels),
    ]
}

/// The level of a logger and of all whose labels begin with its name and a dot.
public struct LoggerLevel: Sendable, Equatable {
    public var name: String
    public var level: Logger.Level

    /// - Returns: `nil` when an item is not `logger=LEVEL`.
    static func list(_ text: String) -> [LoggerLevel]? {
        var levels: [LoggerLevel] = []
        for item in text.split(separator: ",").map(\.trimmed) where !item.isEmpty {
            guard let separator = item.firstIndex(of: "="),
                let level = Logger.Level(osloName: item[item.index(after: separator)...].trimmed)
            else { return nil }
            levels.append(LoggerLevel(name: item[..<separator].trimmed, level: level))
        }
        return levels
    }

    func covers(_ label: String) -> Bool { label == name || label.hasPrefix("\(name).") }
}
