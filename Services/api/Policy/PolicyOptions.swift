public import ServiceKit

/// The options of policy, for every program that asks it.
public enum PolicyOptions {
    static let file = ConfigurationOption.string(
        "oslo_policy",
        "policy_file",
        default: "policy.yaml",
        help:
            "File of rules that replace defaults, in YAML or JSON; a relative name is looked for in the configuration "
            + "directories, beside the configuration files and in /etc/glance. Without one the defaults hold. A change "
            + "counts from the next request on."
    )
    static let directories = ConfigurationOption.repeatable(
        "oslo_policy",
        "policy_dirs",
        default: ["policy.d"],
        help: "Directories of further files, read after policy_file in the order of their names."
    )
    static let defaultRule = ConfigurationOption.string(
        "oslo_policy",
        "policy_default_rule",
        default: "default",
        help: "The rule that answers for rules that are not defined."
    )
    static let enforcesNewDefaults = ConfigurationOption.boolean(
        "oslo_policy",
        "enforce_new_defaults",
        default: true,
        help: "Leave out what held before the present defaults. With false either is enough, and only an image's owner "
            + "or an administrator changes it."
    )
    static let enforcesScope = ConfigurationOption.boolean(
        "oslo_policy",
        "enforce_scope",
        default: true,
        help: "Refuse tokens for the system or a domain where a rule is for callers of a project."
    )

    private static let form = "application/x-www-form-urlencoded"
    static let contentType = ConfigurationOption.choice(
        "oslo_policy",
        "remote_content_type",
        of: [form, "application/json"],
        default: form,
        help: "How the services of http: and https: checks are told what they are asked."
    )
    static let timeout = ConfigurationOption.duration(
        "oslo_policy",
        "remote_timeout",
        default: .seconds(60),
        atLeast: .milliseconds(1),
        help: "How long such a service may take to answer, in seconds."
    )
    static let verifiesServers = ConfigurationOption.boolean(
        "oslo_policy",
        "remote_ssl_verify_server_crt",
        default: false,
        help: "Whether the certificates of services of https: checks have to be good."
    )
    static let authorities = ConfigurationOption.optionalString(
        "oslo_policy",
        "remote_ssl_ca_crt_file",
        help: "Certificates in PEM of the authorities that are believed then; the system's when unset."
    )
    static let certificate = ConfigurationOption.optionalString(
        "oslo_policy",
        "remote_ssl_client_crt_file",
        help: "Certificate in PEM to show to services of https: checks. Needs remote_ssl_client_key_file."
    )
    static let key = ConfigurationOption.optionalString(
        "oslo_policy",
        "remote_ssl_client_key_file",
        help: "Private key in PEM of remote_ssl_client_crt_file."
    )

    public static let all: [OptionDescription] = [
        OptionDescription(file), OptionDescription(directories), OptionDescription(defaultRule),
        OptionDescription(enforcesNewDefaults), OptionDescription(enforcesScope), OptionDescription(contentType),
        OptionDescription(timeout), OptionDescription(verifiesServers), OptionDescription(authorities),
        OptionDescription(certificate), OptionDescription(key),
    ]

    public static func serviceSettings(
        in configuration: ServiceConfiguration
    ) throws(ConfigurationError) -> PolicyServiceSettings {
        var settings = PolicyServiceSettings()
        settings.sendsJSON = try configuration.value(of: contentType) != form
        settings.timeout = try configuration.value(of: timeout)
        settings.verifiesServers = try configuration.value(of: verifiesServers)
        settings.authorities = try configuration.value(of: authorities)
        settings.certificate = try configuration.value(of: certificate)
        settings.key = try configuration.value(of: key)
        guard (settings.certificate == nil) == (settings.key == nil) else {
            throw ConfigurationError(
                "[oslo_policy] remote_ssl_client_crt_file and remote_ssl_client_key_file belong together"
            )
        }
        return settings
    }

    /// - Parameter files: Tell where relative names are looked for.
    public static func settings(
        in configuration: ServiceConfiguration,
        beside files: ConfigurationFiles
    ) throws(ConfigurationError) -> PolicySettings {
        var settings = PolicySettings()
        settings.fileCandidates = files.candidates(try configuration.value(of: file))
        settings.directoryCandidates = try configuration.value(of: directories).map { files.candidates($0) }
        settings.defaultRule = try configuration.value(of: defaultRule)
        settings.enforcesNewDefaults = try configuration.value(of: enforcesNewDefaults)
        settings.enforcesScope = try configuration.value(of: enforcesScope)
        return settings
    }
}
