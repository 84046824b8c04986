// An empty text counts as "not set" for every number, as in oslo.config.

extension ConfigurationOption where Value == Int {
    public static func integer(
        _ section: String,
        _ name: String,
        default defaultValue: Int,
        in range: ClosedRange<Int> = Int.min...Int.max,
        help: String,
        deprecated: [OptionName] = []
    ) -> ConfigurationOption {
        precondition(range.contains(defaultValue), "\(name): the default is out of range")
        return ConfigurationOption(
            section,
            name,
            type: "integer",
            default: defaultValue,
            shownAs: "\(defaultValue)",
            help: help,
            accepted: integerAccepted(range),
            deprecated: deprecated,
            emptyMeansUnset: true
        ) { parsedInteger($0, in: range) }
    }

    public static func port(
        _ section: String,
        _ name: String,
        default defaultValue: Int,
        help: String,
        deprecated: [OptionName] = []
    ) -> ConfigurationOption {
        ConfigurationOption(
            section,
            name,
            type: "port",
            default: defaultValue,
            shownAs: "\(defaultValue)",
            help: help,
            accepted: "a port between 1 and 65535",
            deprecated: deprecated,
            emptyMeansUnset: true
        ) { parsedInteger($0, in: 1...65_535) }
    }
}

extension ConfigurationOption where Value == Int? {
    public static func optionalInteger(
        _ section: String,
        _ name: String,
        in range: ClosedRange<Int> = Int.min...Int.max,
        help: String,
        deprecated: [OptionName] = []
    ) -> ConfigurationOption {
        ConfigurationOption(
            section,
            name,
            type: "integer",
            default: nil,
            shownAs: nil,
            help: help,
            accepted: integerAccepted(range),
            deprecated: deprecated,
            emptyMeansUnset: true
        ) { text in parsedInteger(text, in: range).map { .some($0) } }
    }
}

extension ConfigurationOption where Value == Double {
    public static func float(
        _ section: String,
        _ name: String,
        default defaultValue: Double,
        help: String,
        deprecated: [OptionName] = []
    ) -> ConfigurationOption {
        ConfigurationOption(
            section,
            name,
            type: "number",
            default: defaultValue,
            shownAs: "\(defaultValue)",
            help: help,
            accepted: "a number",
            deprecated: deprecated,
            emptyMeansUnset: true
        ) { text in Double(text.trimmed).flatMap { $0.isFinite ? $0 : nil } }
    }
}

extension ConfigurationOption where Value == Bool {
    public static func boolean(
        _ section: String,
        _ name: String,
        default defaultValue: Bool,
        help: String,
        deprecated: [OptionName] = []
    ) -> ConfigurationOption {
        ConfigurationOption(
            section,
            name,
            type: "boolean",
            default: defaultValue,
            shownAs: "\(defaultValue)",
            help: help,
            accepted: "one of true, false, yes, no, on, off, 1, 0",
            deprecated: deprecated
        ) { text in
            switch text.trimmed.lowercased() {
            case "true", "yes", "on", "1": true
            case "false", "no", "off", "0": false
            default: nil
            }
        }
    }
}

extension ConfigurationOption where Value == Duration {
    /// Seconds, with or without decimals, up to three centuries.
    public static func duration(
        _ section: String,
        _ name: String,
        default defaultValue: Duration,
        atLeast minimum: Duration = .zero,
        help: String,
        deprecated: [OptionName] = []
    ) -> ConfigurationOption {
        precondition(defaultValue >= minimum, "\(name): the default is out of range")
        let accepted = "a number of seconds, \(secondsText(minimum)) or more,"
        return ConfigurationOption(
            section,
            name,
            type: "seconds",
            default: defaultValue,
            shownAs: secondsText(defaultValue),
            help: help,
            accepted: accepted,
            deprecated: deprecated,
            emptyMeansUnset: true
        ) { text in
            guard let seconds = Double(text.trimmed), seconds >= 0, seconds < 1e10 else { return nil }
            let duration = Duration.milliseconds(Int64((seconds * 1000).rounded()))
            return duration >= minimum ? duration : nil
        }
    }
}

extension ConfigurationOption where Value == Int64 {
    /// A number of bytes; `B`, `KB`, `MB`, `GB` and `TB` in any case count in powers of 1024 (`user_storage_quota`).
    public static func byteCount(
        _ section: String,
        _ name: String,
        default defaultValue: Int64,
        help: String,
        deprecated: [OptionName] = []
    ) -> ConfigurationOption {
        ConfigurationOption(
            section,
            name,
            type: "bytes",
            default: defaultValue,
            shownAs: "\(defaultValue)",
            help: help,
            accepted: "a number of bytes, with B, KB, MB, GB or TB if you like,",
            deprecated: deprecated,
            emptyMeansUnset: true
        ) { parsedByteCount($0) }
    }
}

private func parsedInteger(_ text: String, in range: ClosedRange<Int>) -> Int? {
    Int(text.trimmed).flatMap { range.contains($0) ? $0 : nil }
}

private func integerAccepted(_ range: ClosedRange<Int>) -> String {
    switch (range.lowerBound, range.upperBound) {
    case (.min, .max): "an integer"
    case (let lower, .max): "an integer of at least \(lower)"
    case (.min, let upper): "an integer of at most \(upper)"
    case (let lower, let upper): "an integer between \(lower) and \(upper)"
    }
}

private func secondsText(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    return attoseconds == 0 ? "\(seconds)" : "\(Double(seconds) + Double(attoseconds) / 1e18)"
}

private func parsedByteCount(_ text: String) -> Int64? {
    let text = text.trimmed.uppercased()
    let digits = text.prefix { ("0"..."9").contains($0) }
    let shifts: [String: Int64] = ["": 0, "B": 0, "KB": 10, "MB": 20, "GB": 30, "TB": 40]
    guard let number = Int64(digits), let shift = shifts[text.dropFirst(digits.count).trimmed] else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
    return overflow ? nil : product
}
