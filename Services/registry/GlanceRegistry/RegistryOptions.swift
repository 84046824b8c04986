import ServiceKit

/// The options of glance-registry, in the order in which they are documented.
enum RegistryOptions {
    static let listening = ListeningOptions(defaultHost: "127.0.0.1", defaultPort: 9191)
    static let connection = DatabaseOptions.connection
    static let readers = ConfigurationOption.integer(
        "database",
        "max_pool_size",
        default: 4,
        in: 1...64,
        help: "How many threads read from the database, each with a connection of its own."
    )
    static let keyFile = ConfigurationOption.string(
        "registry",
        "key_file",
        default: "/etc/glance/registry.keys",
        help:
            "File of the secrets shared with glance-api: lines 'key-id base64-secret', mode 0600. The first key signs, "
            + "all of them verify."
    )
    static let uploadLease = ConfigurationOption.duration(
        "registry",
        "upload_lease_seconds",
        default: .seconds(60),
        atLeast: .seconds(1),
        help: "How long an upload may go without a sign of life before its image is given back."
    )

    static let all: [OptionDescription] =
        listening.all + LogOptions.all + [
            OptionDescription(connection), OptionDescription(readers), OptionDescription(keyFile),
            OptionDescription(uploadLease), OptionDescription(MetadefOptions.sourcePath),
        ]
}
