public import Logging

/// Sets up the log of this process as configured. To be called once, before the first logger is made.
///
/// - Parameters:
///   - program: The name of the log file in `log_dir`, without `.log`.
///   - configuration: Has the values of ``LogOptions``.
///   - metadataProvider: Adds what the task at hand knows, such as its request id.
/// - Throws: a sentence, when an option is wrong or the log file cannot be opened.
public func bootstrapLogging(
    program: String,
    configuration: ServiceConfiguration,
    metadataProvider: Logger.MetadataProvider? = nil
) throws(ConfigurationError) {
    let logging = try ServiceLogging(program: program, configuration: configuration)
    LoggingSystem.bootstrap(
        { label, provider in logging.handler(label: label, metadataProvider: provider) },
        metadataProvider: metadataProvider
    )
}

/// What the options of the log come to: sinks that are open, a form, and the level of each logger.
package struct ServiceLogging: Sendable {
    /// The log file's path; `nil` when there is none.
    package let path: String?
    private let sinks: [LogSink]
    private let usesJSON: Bool
    private let level: Logger.Level
    private let levels: [LoggerLevel]

    package init(program: String, configuration: ServiceConfiguration) throws(ConfigurationError) {
        usesJSON = try configuration.value(of: LogOptions.useJSON)
        level = try configuration.value(of: LogOptions.debug) ? .debug : .info
        levels = try configuration.value(of: LogOptions.levels)
        path = try Self.path(program: program, configuration: configuration)
        var sinks: [LogSink] = []
        if let path { sinks.append(try Self.open(path, configuration)) }
        let useStandardError = try configuration.value(of: LogOptions.useStandardError)
        if path == nil || useStandardError { sinks.append(.standardError) }
        self.sinks = sinks
    }

    package func handler(label: String, metadataProvider: Logger.MetadataProvider? = nil) -> ServiceLogHandler {
        ServiceLogHandler(
            label: label,
            level: level(of: label),
            usesJSON: usesJSON,
            sinks: sinks,
            metadataProvider: metadataProvider
        )
    }

    /// The level of the longest name that covers the label, as in Python's hierarchy of loggers.
    package func level(of label: String) -> Logger.Level {
        levels.filter { $0.covers(label) }.max { $0.name.utf8.count < $1.name.utf8.count }?.level ?? level
    }

    private static func path(program: String, configuration: ServiceConfiguration) throws(ConfigurationError) -> String?
    {
        let file = try configuration.value(of: LogOptions.logFile)
        guard let directory = try configuration.value(of: LogOptions.logDirectory) else { return file }
        guard let file else { return "\(directory)/\(program).log" }
        return file.hasPrefix("/") ? file : "\(directory)/\(file)"
    }

    private static func open(_ path: String, _ configuration: ServiceConfiguration) throws(ConfigurationError)
        -> LogSink
    {
        do {
            return try LogSink(path: path)
        } catch {
            if configuration.isSet(LogOptions.logFile) {
                throw configuration.refusal(of: LogOptions.logFile, because: error.message)
            }
            throw configuration.refusal(of: LogOptions.logDirectory, because: error.message)
        }
    }
}
