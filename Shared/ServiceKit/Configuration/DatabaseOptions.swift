/// Where the registry's records are and how they are reached, for the service and for its tools. The names are oslo.db's.
public enum DatabaseOptions {
    public static let connection = ConfigurationOption.optionalString(
        "database",
        "connection",
        help:
            "Where the records are: sqlite:////absolute/path/of/a/file or postgresql://user:password@host:port/database, "
            + "with several hosts and any parameters of libpq.",
        isSecret: true
    )
    public static let connectionParameters = ConfigurationOption.string(
        "database",
        "connection_parameters",
        default: "",
        help: "Further parameters for a PostgreSQL connection, as 'name=value&name=value'.",
        isSecret: true
    )
    public static let poolSize = ConfigurationOption.integer(
        "database",
        "max_pool_size",
        default: 5,
        in: 1...500,
        help:
            "How many connections are kept, each with a thread of its own. SQLite: for reads, besides the one that writes. "
            + "PostgreSQL: half of them for writes."
    )
    public static let overflow = ConfigurationOption.integer(
        "database",
        "max_overflow",
        default: 50,
        in: 0...500,
        help:
            "How many more connections to PostgreSQL may be opened while requests wait for long; idle ones are closed."
    )
    public static let poolTimeout = ConfigurationOption.integer(
        "database",
        "pool_timeout",
        default: 30,
        in: 1...3_600,
        help:
            "How long a request waits for a connection at most, in seconds; also the limit of a single PostgreSQL statement "
            + "of the registry's own work."
    )
    public static let lifetime = ConfigurationOption.integer(
        "database",
        "connection_recycle_time",
        default: 3_600,
        in: -1...Int.max / 1_000,
        help: "Age in seconds at which a connection to PostgreSQL is replaced; -1 for never."
    )
    public static let startRetries = ConfigurationOption.integer(
        "database",
        "max_retries",
        default: 10,
        in: -1...Int.max,
        help: "How often the start tries again to reach PostgreSQL; -1 for ever."
    )
    public static let startInterval = ConfigurationOption.integer(
        "database",
        "retry_interval",
        default: 10,
        in: 0...3_600,
        help: "Seconds between these attempts."
    )
    public static let transactionRetries = ConfigurationOption.integer(
        "database",
        "db_max_retries",
        default: 20,
        in: -1...Int.max,
        help:
            "How often a PostgreSQL transaction that collided with another or lost its connection is run again, within "
            + "pool_timeout; -1 for any number."
    )

    public static let all: [OptionDescription] = [
        OptionDescription(connection), OptionDescription(connectionParameters), OptionDescription(poolSize),
        OptionDescription(overflow), OptionDescription(poolTimeout), OptionDescription(lifetime),
        OptionDescription(startRetries), OptionDescription(startInterval), OptionDescription(transactionRetries),
    ]

    /// The kind of database that the connection names.
    public enum Location: Sendable, Equatable {
        /// The path of a file.
        case sqlite(String)
        /// The whole URL, password included.
        case postgresql(String)
    }

    /// - Throws: a sentence that says what is supported, and repeats nothing of a URL that may hold a password.
    public static func location(in configuration: ServiceConfiguration) throws(ConfigurationError) -> Location {
        guard let url = try configuration.value(of: connection) else {
            throw ConfigurationError("[database] connection is not set: give the database as \(forms)")
        }
        guard let location = location(of: url) else {
            let isMySQL = ["mysql", "mariadb"].contains { url.hasPrefix($0) }
            throw ConfigurationError(
                isMySQL
                    ? "[database] connection: MySQL and MariaDB are not supported; use \(forms)"
                    : "[database] connection: only \(forms) are supported"
            )
        }
        return location
    }

    private static let forms = "sqlite:////absolute/path or postgresql://user:password@host/database"

    static func location(of url: String) -> Location? {
        let sqlite = "sqlite:///"
        if url.hasPrefix(sqlite), url.utf8.count > sqlite.utf8.count {
            return .sqlite(String(url.dropFirst(sqlite.count)))
        }
        // SQLAlchemy's form names a driver of Python behind a plus sign.
        guard let mark = url.firstRange(of: "://") else { return nil }
        let scheme = url[..<mark.lowerBound].prefix { $0 != "+" }
        return scheme == "postgresql" || scheme == "postgres" ? .postgresql(url) : nil
    }
}
