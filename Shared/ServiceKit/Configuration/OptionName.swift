/// The two words by which an operator finds an option: its section and its name in there.
public struct OptionName: Sendable, Hashable, CustomStringConvertible {
    public var section: String
    public var name: String

    public init(_ section: String, _ name: String) {
        self.section = section
        self.name = name
    }

    /// A section in angle brackets (`<store>`) stands for sections that the operator names.
    public var isPattern: Bool { section.utf8.first == UInt8(ascii: "<") }

    /// The environment variable that sets it (oslo.config, "Environment source").
    public var environmentVariable: String { "OS_\(section.uppercased())__\(name.uppercased())" }

    public var description: String { "[\(section)] \(name)" }

    /// Whether two section names mean the same section: all but `DEFAULT` are compared without regard to case.
    static func isSameSection(_ one: String, _ other: String) -> Bool {
        one == other || (one != "DEFAULT" && other != "DEFAULT" && one.lowercased() == other.lowercased())
    }
}
