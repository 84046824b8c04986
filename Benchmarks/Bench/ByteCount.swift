internal import ArgumentParser

/// A length in bytes, given as `1GiB`, `256MiB`, `100MB` or a plain number.
struct ByteCount: ExpressibleByArgument, CustomStringConvertible {
    let value: Int64

    init(_ value: Int64) { self.value = value }

    private static let units: [(suffix: String, factor: Int64)] = [
        ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40),
        ("kb", 1_000), ("mb", 1_000_000), ("gb", 1_000_000_000), ("b", 1), ("", 1),
    ]

    init?(argument: String) {
        let text = argument.lowercased()
        guard let unit = Self.units.first(where: { text.hasSuffix($0.suffix) }),
            let number = Int64(text.dropLast(unit.suffix.count)), number > 0
        else { return nil }
        let (value, overflow) = number.multipliedReportingOverflow(by: unit.factor)
        guard !overflow else { return nil }
        self.value = value
    }

    /// As it may be given on the command line.
    var defaultValueDescription: String { String(description.filter { $0 != " " }) }

    var description: String {
        for unit in Self.units.prefix(4).reversed() where value.isMultiple(of: unit.factor) {
            return "\(value / unit.factor) \(unit.suffix.prefix(1).uppercased())iB"
        }
        return "\(value) bytes"
    }
}
