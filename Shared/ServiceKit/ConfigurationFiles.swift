public import ArgumentParser
internal import Glibc
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

    /// Reads the configuration of another service, for a tool that has to know it. The environment wins as usual.
    public static func read(_ files: [String]) throws(ConfigurationError) -> ServiceConfiguration {
        try ServiceConfiguration.load(files: files, environment: environment())
    }

    /// Another file of that name that belongs to the configuration, the first of ``candidates(_:)`` that is there; `nil`
    /// when there is none.
    public func companion(_ name: String) -> String? {
        candidates(name).first { access($0, F_OK) == 0 }
    }

    /// Where oslo.config looks for another file of the configuration: in the directories, beside the files (the last of
    /// them first), in `/etc/glance`. An absolute path is looked for where it is.
    public func candidates(_ name: String) -> [String] {
        guard !name.hasPrefix("/") else { return [name] }
        var folders: [String] = []
        for folder in directories + files.reversed().map(Self.folder) + ["/etc/glance"] where !folders.contains(folder)
        {
            folders.append(folder)
        }
        return folders.map { $0.hasSuffix("/") ? $0 + name : "\($0)/\(name)" }
    }

    private static func folder(of file: String) -> String {
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }
}
