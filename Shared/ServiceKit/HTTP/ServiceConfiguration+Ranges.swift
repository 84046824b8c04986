extension ServiceConfiguration {
    /// The networks that an option lists.
    func ranges(of option: ConfigurationOption<[String]>) throws(ConfigurationError) -> [AddressRange] {
        var ranges: [AddressRange] = []
        for text in try value(of: option) {
            guard let range = AddressRange(text) else {
                throw refusal(
                    of: option,
                    because: "'\(text.escapedForOneLine)' is no network such as 10.0.0.0/8 or 2001:db8::/32"
                )
            }
            ranges.append(range)
        }
        return ranges
    }
}
