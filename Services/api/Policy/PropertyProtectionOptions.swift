public import Logging
public import ServiceKit

/// The options of property protections.
public enum PropertyProtectionOptions {
    static let file = ConfigurationOption.optionalString(
        "DEFAULT",
        "property_protection_file",
        help: "File of rules for who may create, read, update and delete custom properties, by expressions that are "
            + "searched for in their names; looked for where policy_file is. Unset, nothing is protected."
    )
    static let format = ConfigurationOption<PropertyProtectionFile.Format>.choice(
        "DEFAULT",
        "property_protection_rule_format",
        default: .roles,
        help: "What stands in that file: lists of roles, or the name of a policy rule."
    )

    public static let all: [OptionDescription] = [OptionDescription(file), OptionDescription(format)]

    /// - Parameters:
    ///   - files: Tell where a relative name is looked for.
    ///   - policy: Answers for the rules that the file names.
    public static func protections(
        in configuration: ServiceConfiguration,
        beside files: ConfigurationFiles,
        policy: ImagePolicy,
        logger: Logger
    ) throws(ConfigurationError) -> PropertyProtections {
        guard let name = try configuration.value(of: file), !name.isEmpty else { return .none }
        guard let path = files.companion(name) else {
            throw ConfigurationError("[DEFAULT] property_protection_file: there is no file \(name)")
        }
        let file = try PropertyProtectionFile(contentsOf: path, format: try configuration.value(of: format))
        let sections = try file.sections()
        try file.requireRules { policy.knows(ruleNamed: $0) }
        for warning in file.warnings { logger.warning("\(warning)") }
        return PropertyProtections(sections: sections, policy: policy)
    }
}
