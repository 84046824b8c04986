public import ArgumentParser
public import Logging

/// The arguments by which every program is told its configuration (oslo.config's names).
public struct ConfigurationFiles: ParsableArguments {
    @Option(name: .customLong("config-file"), help: "A configuration file; may be given several times.")
    public var files: [String] = []

    @Option(name: .customLong("config-dir"), help: "A directory of *.conf files, read after the files.")
    public var directories: [String] = []

    public init() {}

    /// Reads the configuration, opens the log, and warns of options that have no effect.
    ///
    /// - Parameters:
    ///   - program: Names the log.
    ///   - standard: The file that is read when none is given.
    ///   - options: All options that the program knows; `nil` for a tool, which reads a service's file.
    public func start(
        _ program: String,
        standard: String,
        options: [OptionDescription]?
    ) throws(ConfigurationError) -> (configuration: ServiceConfiguration, logger: Logger) {
        let configuration = try ServiceConfiguration.load(
            files: files.isEmpty ? [standard] : files,
            directories: directories,
            environment: environment()
        )
        try bootstrapLogging(program: program, configuration: configuration)
        let logger = Logger(label: program.split(separator: "-").joined(separator: "."))
        if let options {
            for unknown in configuration.unknownOptions(known: options) { logger.warning("\(unknown)") }
        }
        return (configuration, logger)
    }
}
