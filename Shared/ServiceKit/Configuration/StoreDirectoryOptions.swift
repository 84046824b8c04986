/// Where the API keeps data as files, for the API and for the tool that compares it with the records. The names are
/// glance_store's.
public enum StoreDirectoryOptions {
    public static let enabled = ConfigurationOption.dictionary(
        "DEFAULT",
        "enabled_backends",
        help: "Several stores, as 'id:driver, id:driver', each with options in a section of its name. "
            + "The drivers are file and http. One store is configured in [glance_store] when unset."
    )
    public static let directory = ConfigurationOption.string(
        "glance_store",
        "filesystem_store_datadir",
        default: "/var/lib/glance/images",
        help: "Directory of the image files. Also in the section of a store."
    )
    public static let directories = ConfigurationOption.repeatable(
        "glance_store",
        "filesystem_store_datadirs",
        help: "Several directories instead of one, each 'path' or 'path:priority'. Also in the section of a store."
    )
    public static let staging = ConfigurationOption.string(
        "DEFAULT",
        "node_staging_uri",
        default: "file:///tmp/staging/",
        help:
            "Directory of this node in which data waits to be imported, as a file:// URI; no other service may use it. "
            + "With enabled_backends, filesystem_store_datadir of [os_glance_staging_store] is read instead."
    )

    /// The directory of a store for data in transit, which has a section of its own but need not.
    public static func reservedDirectory(
        _ identifier: String,
        in configuration: ServiceConfiguration
    ) throws(ConfigurationError) -> String {
        let own = directory.inSection(identifier)
        return configuration.isSet(own) ? try configuration.value(of: own) : "/var/lib/glance/\(identifier)"
    }
}

extension ServiceConfiguration {
    /// A store's option: what its section leaves out is taken from `[backend_defaults]`.
    public func value<Value>(
        of option: ConfigurationOption<Value>,
        ofStore section: String
    ) throws(ConfigurationError) -> Value {
        let own = option.inSection(section)
        return try value(of: isSet(own) ? own : option.inSection("backend_defaults"))
    }
}
