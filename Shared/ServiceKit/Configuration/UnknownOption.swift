/// An option in a file that no part of the program reads: worth one warning per start, since it may be a typing error.
public struct UnknownOption: Sendable, Equatable, CustomStringConvertible {
    public var name: OptionName
    public var file: String
    /// The last line that sets it, counted from 1.
    public var line: Int

    public var description: String { "\(file):\(line): \(name) is not known here and has no effect" }
}

extension ServiceConfiguration {
    /// The options in the files that `known` does not cover, each once, in the order of their names.
    ///
    /// A description whose section is a pattern (`<store>`) covers its name in every section that no other description
    /// names outright. Variables of the environment are not judged: many that start with `OS_` belong to others.
    public func unknownOptions(known: [OptionDescription]) -> [UnknownOption] {
        var names: Set<OptionName> = []
        var fixedSections: Set<String> = []
        var namesInPatterns: Set<String> = []
        for name in known.flatMap({ [$0.name] + $0.deprecated }) {
            if name.isPattern {
                namesInPatterns.insert(name.name)
            } else {
                names.insert(name.folded)
                fixedSections.insert(name.folded.section)
            }
        }
        var unknown: [UnknownOption] = []
        for (name, settings) in settings {
            let folded = name.folded
            if names.contains(folded) { continue }
            if !fixedSections.contains(folded.section), namesInPatterns.contains(name.name) { continue }
            guard case .file(let file, let line) = settings.last?.origin else { continue }
            unknown.append(UnknownOption(name: name, file: file, line: line))
        }
        return unknown.sorted { ($0.name.section, $0.name.name) < ($1.name.section, $1.name.name) }
    }
}

extension OptionName {
    /// The same for all spellings that mean the same section.
    fileprivate var folded: OptionName { section == "DEFAULT" ? self : OptionName(section.lowercased(), name) }
}
