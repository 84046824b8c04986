/// An option that a program reads: its name, its type, what it means and what holds when nobody sets it. A value, so
/// that the code that reads it, the warnings about unknown ones and the documentation speak of the same thing.
///
/// ```swift
/// static let bindPort = ConfigurationOption.port("DEFAULT", "bind_port", default: 9292, help: "Port to listen on.")
/// let port = try configuration.value(of: bindPort)
/// ```
public struct ConfigurationOption<Value: Sendable>: Sendable {
    public private(set) var name: OptionName
    /// Former names, which are still read.
    public private(set) var deprecated: [OptionName]
    public let defaultValue: Value
    /// The default as an operator would write it, one text per repetition; empty when there is none.
    public let defaultTexts: [String]
    /// The word for the type in the documentation.
    public let typeName: String
    /// One or two whole sentences.
    public let help: String
    /// Its value is kept out of errors, logs and documents.
    public let isSecret: Bool
    /// Every occurrence counts, not only the last one.
    public let isRepeatable: Bool
    /// What an error says is expected: "a port between 1 and 65535".
    let accepted: String
    /// `name =` is the same as not setting it.
    let emptyMeansUnset: Bool
    let parse: @Sendable ([String]) -> Value?

    /// An option of a type of its own; most are made by the functions named after the types.
    ///
    /// `defaultText` is the default as an operator would write it, `nil` when there is none. `accepted` ends the sentence
    /// "… is not accepted: ‹accepted› is expected". With `emptyMeansUnset`, `name =` is the same as not setting it, as it
    /// is for oslo's numbers. `parse` answers `nil` to a text that is not accepted; blanks around it are off already.
    public init(
        _ section: String,
        _ name: String,
        type typeName: String,
        default defaultValue: Value,
        shownAs defaultText: String?,
        help: String,
        accepted: String,
        isSecret: Bool = false,
        deprecated: [OptionName] = [],
        emptyMeansUnset: Bool = false,
        parse: @escaping @Sendable (String) -> Value?
    ) {
        self.init(
            name: OptionName(section, name),
            deprecated: deprecated,
            typeName: typeName,
            defaultValue: defaultValue,
            defaultTexts: defaultText.map { [$0] } ?? [],
            help: help,
            accepted: accepted,
            isSecret: isSecret,
            isRepeatable: false,
            emptyMeansUnset: emptyMeansUnset
        ) { texts in texts.last.flatMap(parse) }
    }

    init(
        name: OptionName,
        deprecated: [OptionName],
        typeName: String,
        defaultValue: Value,
        defaultTexts: [String],
        help: String,
        accepted: String,
        isSecret: Bool,
        isRepeatable: Bool,
        emptyMeansUnset: Bool,
        parse: @escaping @Sendable ([String]) -> Value?
    ) {
        self.name = name
        self.deprecated = deprecated
        self.typeName = typeName
        self.defaultValue = defaultValue
        self.defaultTexts = defaultTexts
        self.help = help
        self.accepted = accepted
        self.isSecret = isSecret
        self.isRepeatable = isRepeatable
        self.emptyMeansUnset = emptyMeansUnset
        self.parse = parse
    }

    /// The same option in a section that the operator named, such as a store's.
    public func inSection(_ section: String) -> ConfigurationOption {
        var option = self
        option.deprecated = deprecated.map { $0.section == name.section ? OptionName(section, $0.name) : $0 }
        option.name.section = section
        return option
    }
}
