/// Where the registry's records are, for the service and for its tools.
public enum DatabaseOptions {
    public static let connection = ConfigurationOption.optionalString(
        "database",
        "connection",
        help: "Where the records are: sqlite:////absolute/path/of/a/file.",
        isSecret: true
    )

    /// The SQLite file that the connection names.
    ///
    /// - Throws: a sentence that says what is supported.
    public static func sqlitePath(in configuration: ServiceConfiguration) throws(ConfigurationError) -> String {
        let prefix = "sqlite:///"
        guard let url = try configuration.value(of: connection) else {
            throw ConfigurationError("[database] connection is not set: give the database as \(prefix)/absolute/path")
        }
        guard url.hasPrefix(prefix), url.utf8.count > prefix.utf8.count else {
            throw ConfigurationError("[database] connection: only \(prefix)/absolute/path is supported")
        }
        return String(url.dropFirst(prefix.count))
    }
}
