internal import ImageModel
public import ServiceKit

/// Reads a property protection file: a section per expression, in it `create`, `read`, `update` and `delete`.
public struct PropertyProtectionFile {
    enum Format: String, CaseIterable, Sendable {
        /// A list of roles per operation.
        case roles
        /// The name of one policy rule per operation.
        case policies
    }

    private let file: INIFile
    private let format: Format

    init(contentsOf path: String, format: Format) throws(ConfigurationError) {
        try self.init(INIFile(contentsOf: path), format: format)
    }

    init(_ file: INIFile, format: Format) {
        self.file = file
        self.format = format
    }

    /// - Throws: one sentence with file, section and line.
    func sections() throws(ConfigurationError) -> [PropertyProtections.Section] {
        var sections: [PropertyProtections.Section] = []
        // Those of the service's own properties are the service's business.
        for name in file.sections where !name.hasPrefix("os_glance") { sections.append(try section(name)) }
        return sections
    }

    private func section(_ name: String) throws(ConfigurationError) -> PropertyProtections.Section {
        let line = file.lines[name] ?? 1
        let pattern: LinearPattern
        do throws(LinearPatternError) {
            pattern = try LinearPattern(name)
        } catch {
            throw fault(name, line, "the expression is not accepted: \(error)")
        }
        var grants: [PropertyProtections.Operation: PropertyProtections.Grant] = [:]
        for entry in file.entries where entry.section == name {
            guard let operation = PropertyProtections.Operation(rawValue: entry.name.lowercased()) else {
                throw fault(name, entry.line, "'\(entry.name)' is none of create, read, update, delete")
            }
            guard grants[operation] == nil else { throw fault(name, entry.line, "\(entry.name) is there twice") }
            grants[operation] = try grant(entry)
        }
        for operation in PropertyProtections.Operation.allCases where grants[operation] == nil {
            throw fault(name, line, "\(operation.rawValue) is missing; write '!' for nobody")
        }
        return PropertyProtections.Section(pattern: pattern, grants: grants)
    }

    private func grant(_ entry: INIFile.Entry) throws(ConfigurationError) -> PropertyProtections.Grant {
        let items = entry.value.split { $0 == "," || $0 == "\n" }.map {
            $0.split(separator: " ").joined(separator: " ")
        }
        .filter { !$0.isEmpty }
        if items.contains("@"), items.contains("!") {
            throw fault(entry.section, entry.line, "\(entry.name) has '@' for everybody and '!' for nobody")
        }
        if format == .policies, items.count > 1 {
            throw fault(entry.section, entry.line, "\(entry.name) names several policy rules; only one is accepted")
        }
        if items.isEmpty || items.contains("!") { return .nobody }
        if items.contains("@") { return .everybody }
        return format == .roles ? .roles(Set(items.map { $0.lowercased() })) : .policyRule(items[0])
    }

    /// The policy rules that it names, which every policy must have: nobody else answers for one that is not there.
    ///
    /// - Throws: one sentence with file, section and line.
    public func namedRules() throws(ConfigurationError) -> [PolicySettings.NamedRule] {
        guard format == .policies else { return [] }
        var rules: [PolicySettings.NamedRule] = []
        for entry in file.entries where !entry.section.hasPrefix("os_glance") {
            guard case .policyRule(let name) = try grant(entry) else { continue }
            rules.append(.init(name: name, place: "\(place(entry.section, entry.line)): \(entry.name)"))
        }
        return rules
    }

    private func place(_ section: String, _ line: Int) -> String { "\(file.path):\(line): section [\(section)]" }

    private func fault(_ section: String, _ line: Int, _ sentence: String) -> ConfigurationError {
        ConfigurationError("\(place(section, line)): \(sentence)")
    }

    /// Operations that nobody may do because nothing stands behind their name; it may have been forgotten.
    var warnings: [String] {
        file.entries.filter(\.value.isEmpty).map { entry in
            "\(file.path):\(entry.line): section [\(entry.section)]: \(entry.name) is empty, so nobody may"
        }
    }
}
