internal import Glibc

/// What the operator has set, as text with its origins. Options give it types: `configuration.value(of: option)`.
///
/// Later files win over earlier ones; a variable `OS_<SECTION>__<OPTION>` in the environment wins over all files
/// (oslo.config, "Environment source").
public struct ServiceConfiguration: Sendable {
    /// One occurrence of an option.
    struct Setting: Sendable {
        /// As written: nothing is substituted yet.
        var text: String
        var origin: ConfigurationOrigin
        /// Counts the files in the order in which they were read.
        var rank: Int
    }

    /// Every section of the files, in the order of first appearance.
    public private(set) var sections: [String] = []
    private(set) var settings: [OptionName: [Setting]] = [:]
    private let environment: [String: String]

    /// Reads all files now; nothing is reloaded later.
    ///
    /// - Parameters:
    ///   - files: In this order: what a later one sets wins.
    ///   - directories: Read after the files; each gives its `*.conf` files, sorted by name.
    ///   - environment: All variables of the process; those that name no option are ignored.
    /// - Returns: What is set, all of it unchecked: values are judged when they are asked for.
    /// - Throws: when a file or directory cannot be read or a file is malformed; the message names file and line.
    public static func load(
        files: [String],
        directories: [String] = [],
        environment: [String: String] = [:]
    ) throws(ConfigurationError) -> ServiceConfiguration {
        var paths = files
        for directory in directories { paths += try filesInDirectory(directory) }
        var configuration = ServiceConfiguration(environment: environment)
        for (rank, path) in paths.enumerated() {
            configuration.add(try INIFile(contentsOf: path), rank: rank)
        }
        return configuration
    }

    /// A configuration from texts that are in memory, as if they were files with these names.
    public init(
        text: String,
        path: String = "memory.conf",
        environment: [String: String] = [:]
    ) throws(ConfigurationError) {
        self.environment = environment
        add(try INIFile(bytes: Array(text.utf8), path: path), rank: 0)
    }

    private init(environment: [String: String]) { self.environment = environment }

    private mutating func add(_ file: INIFile, rank: Int) {
        for section in file.sections where !sections.contains(section) { sections.append(section) }
        for entry in file.entries {
            settings[OptionName(entry.section, entry.name), default: []].append(
                Setting(text: entry.value, origin: .file(file.path, line: entry.line), rank: rank)
            )
        }
    }

    private static func filesInDirectory(_ path: String) throws(ConfigurationError) -> [String] {
        guard let directory = opendir(path) else {
            throw ConfigurationError("\(path): cannot be read as a directory: \(String(cString: strerror(errno)))")
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".conf") { names.append(name) }
        }
        return names.sorted().map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
    }
}

// MARK: Looking up

extension ServiceConfiguration {
    /// The value that the operator set, or the option's default.
    ///
    /// - Throws: a sentence that names origin, option, what is wrong and what is accepted.
    public func value<Value>(of option: ConfigurationOption<Value>) throws(ConfigurationError) -> Value {
        let found = occurrences(of: option)
        guard let last = found.last else { return option.defaultValue }
        let texts = found.map { substituted($0.text, in: option.name.section) }
        if option.emptyMeansUnset, texts.last?.trimmed.isEmpty == true { return option.defaultValue }
        guard let value = option.parse(texts) else {
            // The text as written: what was substituted into it may be another option's secret.
            var shown = "the value (a secret, not shown)"
            if !option.isSecret {
                shown = "'\(last.text.escapedForOneLine)'"
            }
            throw ConfigurationError(
                "\(last.origin): \(option.name): \(shown) is not accepted: \(option.accepted) is expected"
            )
        }
        return value
    }

    /// Whether a file or the environment sets the option, under its name or a deprecated one.
    public func isSet<Value>(_ option: ConfigurationOption<Value>) -> Bool { !occurrences(of: option).isEmpty }

    /// Where the value in force was set; `nil` for a default.
    public func origin<Value>(of option: ConfigurationOption<Value>) -> ConfigurationOrigin? {
        occurrences(of: option).last?.origin
    }

    /// An error about a value that is well formed and yet cannot be used, in the form of all the others.
    /// The reason says what is wrong and what to do, without the value of a secret.
    public func refusal<Value>(of option: ConfigurationOption<Value>, because reason: String) -> ConfigurationError {
        guard let origin = origin(of: option) else { return ConfigurationError("\(option.name): \(reason)") }
        return ConfigurationError("\(origin): \(option.name): \(reason)")
    }

    /// All occurrences that count, the one in force last; more than one for repeatable options only.
    private func occurrences<Value>(of option: ConfigurationOption<Value>) -> [Setting] {
        let names = [option.name] + option.deprecated
        for name in names {
            if let setting = settingInEnvironment(name) { return [setting] }
        }
        let all = names.map { settingsInFiles($0) }
        if option.isRepeatable { return all.flatMap { $0 }.stablySorted { $0.rank < $1.rank } }
        // A later file wins even when it uses the deprecated name; within a file the proper name does.
        var winner: Setting?
        for setting in all.compactMap(\.last) where setting.rank > (winner?.rank ?? -1) { winner = setting }
        return winner.map { [$0] } ?? []
    }

    /// The setting in force of one name, without regard to aliases.
    func setting(_ name: OptionName) -> Setting? { settingInEnvironment(name) ?? settingsInFiles(name).last }

    private func settingInEnvironment(_ name: OptionName) -> Setting? {
        let variable = name.environmentVariable
        return environment[variable].map { Setting(text: $0, origin: .environment(variable), rank: .max) }
    }

    private func settingsInFiles(_ name: OptionName) -> [Setting] {
        if let exact = settings[name] { return exact }
        for section in sections where OptionName.isSameSection(section, name.section) {
            if let found = settings[OptionName(section, name.name)] { return found }
        }
        return []
    }
}

extension Array {
    /// Sorted so that equal elements keep their order.
    fileprivate func stablySorted(by areInOrder: (Element, Element) -> Bool) -> [Element] {
        enumerated()
            .sorted { one, other in
                if areInOrder(one.element, other.element) { return true }
                if areInOrder(other.element, one.element) { return false }
                return one.offset < other.offset
            }
            .map(\.element)
    }
}
