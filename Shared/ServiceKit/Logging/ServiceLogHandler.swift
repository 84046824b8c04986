internal import Glibc
public import Logging

/// Writes what is logged as oslo's lines or as JSON to the sinks it was given.
public struct ServiceLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let usesJSON: Bool
    private let sinks: [LogSink]
    private static let process = getpid()

    package init(
        label: String,
        level: Logger.Level,
        usesJSON: Bool,
        sinks: [LogSink],
        metadataProvider: Logger.MetadataProvider? = nil
    ) {
        self.label = label
        logLevel = level
        self.usesJSON = usesJSON
        self.sinks = sinks
        self.metadataProvider = metadataProvider
    }

    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var metadata = metadata
        if let metadataProvider { metadata.merge(metadataProvider.get()) { $1 } }
        if let own = event.metadata { metadata.merge(own) { $1 } }
        if let error = event.error { metadata["error"] = "\(error)" }
        let record = LogRecord(
            time: .now,
            process: Self.process,
            level: event.level,
            name: label,
            message: event.message.description,
            metadata: metadata
        )
        let line = usesJSON ? record.json : record.line
        for sink in sinks { sink.write(line) }
    }
}
