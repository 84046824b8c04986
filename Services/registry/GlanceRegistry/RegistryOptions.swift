import ServiceKit

/// The options of glance-registry, in the order in which they are documented.
enum RegistryOptions {
    static let listening = ListeningOptions(defaultHost: "127.0.0.1", defaultPort: 9191)
    static let listTimeout = ConfigurationOption.duration(
        "database",
        "list_timeout",
        default: .seconds(3),
        atLeast: .milliseconds(100),
        help:
            "How long a list of images may search before it is given up with 503. Above 3.5 seconds glance-api asks "
            + "again before it has heard that."
    )
    static let keyFile = ConfigurationOption.string(
        "registry",
        "key_file",
        default: "/etc/glance/registry.keys",
        help:
            "File of the secrets shared with glance-api: lines 'key-id base64-secret', mode 0600. The first key signs, "
            + "all of them verify. Read anew when it changes."
    )
    static let uploadLease = ConfigurationOption.duration(
        "registry",
        "upload_lease_seconds",
        default: .seconds(60),
        atLeast: .seconds(1),
        help: "How long an upload may go without a sign of life before its image is given back."
    )
    static let sessionLease = ConfigurationOption.duration(
        "registry",
        "upload_session_seconds",
        default: .seconds(86_400),
        atLeast: .seconds(1),
        help: "How long a resumable upload may go without anything coming before it ends and its image is given back."
    )

    static let exchangeLimit = ConfigurationOption.integer(
        "registry",
        "max_exchanges",
        default: 1_024,
        in: 1...100_000,
        help: "How many requests may be worked on or wait for the database at a time; more are answered 503 with "
            + "Retry-After at once."
    )

    static let all: [OptionDescription] =
        listening.all + LogOptions.all + DatabaseOptions.all + [
            OptionDescription(listTimeout),
            OptionDescription(keyFile), OptionDescription(uploadLease), OptionDescription(sessionLease),
            OptionDescription(exchangeLimit),
            OptionDescription(MetadefOptions.sourcePath),
        ]
}
