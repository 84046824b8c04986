/// A file in oslo.config's dialect of INI: `[section]`, `name = value` or `name: value`, lines that start with `#` or `;`
/// are comments, an indented line continues the value above it (joined by a line feed), and one pair of quotation marks
/// around a value is taken off. A section may appear again; a name that is repeated keeps all its values, in order.
public struct INIFile: Sendable {
    public struct Entry: Sendable, Equatable {
        public var section: String
        public var name: String
        public var value: String
        /// The line of the name, counted from 1.
        public var line: Int
    }

    /// The path, for error messages.
    public let path: String
    public private(set) var entries: [Entry] = []
    /// In the order of their first appearance, empty ones too.
    public private(set) var sections: [String] = []
    /// Where each section begins first, counted from 1.
    public private(set) var lines: [String: Int] = [:]

    public init(contentsOf path: String) throws(ConfigurationError) {
        try self.init(bytes: WholeFile.bytes(of: path), path: path)
    }

    /// - Throws: an error that names file and line, and never shows the line: it may hold a secret.
    public init(bytes: [UInt8], path: String) throws(ConfigurationError) {
        self.path = path
        var parser = Parser()
        var rest = bytes[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        for (index, line) in rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if let problem = parser.read(line, number: index + 1) {
                throw ConfigurationError("\(path):\(index + 1): \(problem)")
            }
        }
        parser.finishEntry()
        entries = parser.entries
        sections = parser.sections
        lines = parser.lines
    }
}

/// Takes lines one after the other; an entry is complete when something other than its continuation follows.
private struct Parser {
    var entries: [INIFile.Entry] = []
    var sections: [String] = []
    var lines: [String: Int] = [:]
    private var section: String?
    private var open: INIFile.Entry?

    /// - Returns: what is wrong with the line.
    mutating func read(_ line: ArraySlice<UInt8>, number: Int) -> String? {
        guard String(validating: line, as: UTF8.self) != nil else { return "the line is not UTF-8 text" }
        let line = line.trimmedAtEnd
        guard let first = line.first else {
            finishEntry()
            return nil
        }
        if first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") {
            return continueEntry(line.trimmed)
        }
        finishEntry()
        switch first {
        case UInt8(ascii: "#"), UInt8(ascii: ";"): return nil
        case UInt8(ascii: "["): return beginSection(line, number: number)
        default: return beginEntry(line, number: number)
        }
    }

    mutating func finishEntry() {
        guard let entry = open else { return }
        entries.append(entry)
        open = nil
    }

    private mutating func continueEntry(_ text: ArraySlice<UInt8>) -> String? {
        if open == nil {
            let isComment = text.first == UInt8(ascii: "#") || text.first == UInt8(ascii: ";")
            return isComment ? nil : "an indented line continues a value, but no option stands before it"
        }
        open?.value += "\n" + String(decoding: text, as: UTF8.self)
        return nil
    }

    private mutating func beginSection(_ line: ArraySlice<UInt8>, number: Int) -> String? {
        guard line.last == UInt8(ascii: "]") else { return "a section's name must be enclosed in [ and ]" }
        let name = String(decoding: line.dropFirst().dropLast(), as: UTF8.self)
        guard !name.isEmpty else { return "the section has no name" }
        section = name
        if lines[name] == nil {
            sections.append(name)
            lines[name] = number
        }
        return nil
    }

    private mutating func beginEntry(_ line: ArraySlice<UInt8>, number: Int) -> String? {
        guard let section else { return "an option must stand in a section, such as [DEFAULT]" }
        guard let separator = line.firstIndex(where: { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":") }) else {
            return "an option is written 'name = value', and there is no '=' in the line"
        }
        let name = line[..<separator].trimmed
        guard !name.isEmpty else { return "there is no option name in front of the '='" }
        open = INIFile.Entry(
            section: section,
            name: String(decoding: name, as: UTF8.self),
            value: String(decoding: line[(separator + 1)...].trimmed.unquoted, as: UTF8.self),
            line: number
        )
        return nil
    }
}
