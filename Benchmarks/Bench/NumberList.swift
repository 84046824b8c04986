internal import ArgumentParser

/// Whole numbers of at least 1 with commas between them: `1,16,64`.
struct NumberList: ExpressibleByArgument, CustomStringConvertible {
    let values: [Int]

    init(_ values: [Int]) { self.values = values }

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        values = parts.compactMap { Int($0) }.filter { $0 > 0 }
        guard values.count == parts.count else { return nil }
    }

    var description: String { values.map(String.init).joined(separator: ",") }
    var defaultValueDescription: String { description }
}
