extension ConfigurationOption where Value == [String] {
    /// Items between commas; empty ones are left out.
    ///
    /// With `mayBeBounded` the list may stand in `[ ]` and its items in quotation marks (oslo.config, `ListOpt` with
    /// `bounds`). Upstream insists on the brackets there; here they may be left out.
    public static func list(
        _ section: String,
        _ name: String,
        default defaultValue: [String],
        mayBeBounded: Bool = false,
        help: String,
        isSecret: Bool = false,
        deprecated: [OptionName] = []
    ) -> ConfigurationOption {
        ConfigurationOption(
            section,
            name,
            type: "list",
            default: defaultValue,
            shownAs: defaultValue.joined(separator: ","),
            help: help,
            accepted: mayBeBounded ? "a list 'a, b' or '[a, b]'" : "a list 'a, b'",
            isSecret: isSecret,
            deprecated: deprecated
        ) { text in
            guard mayBeBounded else { return items(of: text) }
            var text = text.trimmed
            switch (text.hasPrefix("["), text.hasSuffix("]")) {
            case (true, true): text = String(text.dropFirst().dropLast())
            case (false, false): break
            default: return nil
            }
            return items(of: text).map(\.unquoted)
        }
    }

    /// An option that may be given several times; its value is all of them, over all files, in order.
    public static func repeatable(
        _ section: String,
        _ name: String,
        default defaultValue: [String] = [],
        help: String,
        isSecret: Bool = false,
        deprecated: [OptionName] = []
    ) -> ConfigurationOption {
        ConfigurationOption(
            name: OptionName(section, name),
            deprecated: deprecated,
            typeName: "string, repeatable",
            defaultValue: defaultValue,
            defaultTexts: defaultValue,
            help: help,
            accepted: "text",
            isSecret: isSecret,
            isRepeatable: true,
            emptyMeansUnset: false
        ) { texts in texts.filter { !$0.isEmpty } }
    }
}

/// One `key:value` of a dictionary option.
public struct OptionPair: Sendable, Hashable {
    public var key: String
    public var value: String

    public init(_ key: String, _ value: String) {
        self.key = key
        self.value = value
    }
}

extension ConfigurationOption where Value == [OptionPair] {
    /// `key:value, key:value` in the order in which they stand; a key that is repeated keeps its place and takes the later
    /// value. A value may hold colons, a key may not.
    public static func dictionary(
        _ section: String,
        _ name: String,
        default defaultValue: [OptionPair] = [],
        help: String,
        isSecret: Bool = false,
        deprecated: [OptionName] = []
    ) -> ConfigurationOption {
        ConfigurationOption(
            section,
            name,
            type: "dictionary",
            default: defaultValue,
            shownAs: defaultValue.map { "\($0.key):\($0.value)" }.joined(separator: ","),
            help: help,
            accepted: "a list of pairs 'key:value, key:value'",
            isSecret: isSecret,
            deprecated: deprecated
        ) { text in
            var pairs: [OptionPair] = []
            for item in items(of: text) {
                guard let colon = item.firstIndex(of: ":") else { return nil }
                let pair = OptionPair(item[..<colon].trimmed, item[item.index(after: colon)...].trimmed)
                guard !pair.key.isEmpty else { return nil }
                if let index = pairs.firstIndex(where: { $0.key == pair.key }) {
                    pairs[index] = pair
                } else {
                    pairs.append(pair)
                }
            }
            return pairs
        }
    }
}

private func items(of text: String) -> [String] {
    text.split(separator: ",").map(\.trimmed).filter { !$0.isEmpty }
}
