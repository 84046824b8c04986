/// What there is to say about an option, whatever its type: for the reference, the sample file and the warnings.
public struct OptionDescription: Sendable {
    public let name: OptionName
    public let deprecated: [OptionName]
    public let typeName: String
    /// As an operator would write it, one text per repetition; empty when there is none.
    public let defaultTexts: [String]
    public let help: String
    public let isSecret: Bool

    public init<Value>(_ option: ConfigurationOption<Value>) {
        name = option.name
        deprecated = option.deprecated
        typeName = option.typeName
        defaultTexts = option.defaultTexts
        help = option.help
        isSecret = option.isSecret
    }
}
