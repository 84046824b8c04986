extension ConfigurationOption where Value == String {
    public static func string(
        _ section: String,
        _ name: String,
        default defaultValue: String,
        help: String,
        isSecret: Bool = false,
        deprecated: [OptionName] = []
    ) -> ConfigurationOption {
        ConfigurationOption(
            section,
            name,
            type: "string",
            default: defaultValue,
            shownAs: defaultValue,
            help: help,
            accepted: "text",
            isSecret: isSecret,
            deprecated: deprecated
        ) { $0 }
    }

    /// One of a closed list of words, in exactly that case.
    public static func choice(
        _ section: String,
        _ name: String,
        of choices: [String],
        default defaultValue: String,
        help: String,
        deprecated: [OptionName] = []
    ) -> ConfigurationOption {
        precondition(choices.contains(defaultValue), "\(name): the default is not among the choices")
        return ConfigurationOption(
            section,
            name,
            type: choices.joined(separator: " / "),
            default: defaultValue,
            shownAs: defaultValue,
            help: help,
            accepted: oneOf(choices),
            deprecated: deprecated
        ) { choices.contains($0) ? $0 : nil }
    }
}

extension ConfigurationOption where Value == String? {
    /// Text that may be missing; `name =` is the same as not setting it.
    public static func optionalString(
        _ section: String,
        _ name: String,
        help: String,
        isSecret: Bool = false,
        deprecated: [OptionName] = []
    ) -> ConfigurationOption {
        ConfigurationOption(
            section,
            name,
            type: "string",
            default: nil,
            shownAs: nil,
            help: help,
            accepted: "text",
            isSecret: isSecret,
            deprecated: deprecated,
            emptyMeansUnset: true
        ) { $0 }
    }
}

extension ConfigurationOption where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the raw values of an enumeration, in exactly their case.
    public static func choice(
        _ section: String,
        _ name: String,
        default defaultValue: Value,
        help: String,
        deprecated: [OptionName] = []
    ) -> ConfigurationOption {
        let choices = Value.allCases.map(\.rawValue)
        return ConfigurationOption(
            section,
            name,
            type: choices.joined(separator: " / "),
            default: defaultValue,
            shownAs: defaultValue.rawValue,
            help: help,
            accepted: oneOf(choices),
            deprecated: deprecated
        ) { Value(rawValue: $0) }
    }
}

extension ConfigurationOption {
    /// One of the raw values of an enumeration, or nothing.
    public static func optionalChoice<Choice: RawRepresentable & CaseIterable & Sendable>(
        _ section: String,
        _ name: String,
        of type: Choice.Type = Choice.self,
        help: String,
        deprecated: [OptionName] = []
    ) -> ConfigurationOption where Value == Choice?, Choice.RawValue == String {
        let choices = Choice.allCases.map(\.rawValue)
        return ConfigurationOption(
            section,
            name,
            type: choices.joined(separator: " / "),
            default: nil,
            shownAs: nil,
            help: help,
            accepted: oneOf(choices),
            deprecated: deprecated,
            emptyMeansUnset: true
        ) { text in Choice(rawValue: text).map { .some($0) } }
    }
}

private func oneOf(_ choices: [String]) -> String {
    guard choices.count > 1, let last = choices.last else { return choices.first ?? "" }
    return "one of \(choices.dropLast().joined(separator: ", ")) or \(last)"
}
