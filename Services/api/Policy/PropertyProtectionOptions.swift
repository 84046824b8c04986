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

    /// - Parameter files: Tell where a relative name is looked for.
    /// - Returns: `nil` where nothing is protected.
    public static func file(
        in configuration: ServiceConfiguration,
        beside files: ConfigurationFiles
    ) throws(ConfigurationError) -> PropertyProtectionFile? {
        guard let name = try configuration.value(of: file), !name.isEmpty else { return nil }
        guard let path = files.companion(name) else {
            throw ConfigurationError("[DEFAULT] property_protection_file: there is no file \(name)")
        }
        return try PropertyProtectionFile(contentsOf: path, format: try configuration.value(of: format))
    }

    /// - Parameter policy: Answers for the rules that the file names.
    public static func protections(
        of file: PropertyProtectionFile?,
        policy: ImagePolicy,
        logger: Logger
    ) throws(ConfigurationError) -> PropertyProtections {
        guard let file else { return .none }
        let sections = try file.sections()
        for warning in file.warnings { logger.warning("\(warning)") }
        return PropertyProtections(sections: sections, policy: policy)
    }
}
