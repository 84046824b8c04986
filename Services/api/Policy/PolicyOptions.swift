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

    public static let all: [OptionDescription] = [
        OptionDescription(file), OptionDescription(directories), OptionDescription(defaultRule),
        OptionDescription(enforcesNewDefaults), OptionDescription(enforcesScope),
    ]

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
