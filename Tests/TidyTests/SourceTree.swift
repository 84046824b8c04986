import FoundationEssentials

/// The checkout that these tests were built from.
enum SourceTree {
    /// The package's folder: three levels above this file.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Paths relative to the root of every file below a folder whose name ends in one of these, in order.
    static func files(below folder: String, endingIn endings: [String]) throws -> [String] {
        guard FileManager.default.fileExists(atPath: path(folder)) else { return [] }
        return try FileManager.default.subpathsOfDirectory(atPath: path(folder))
            .filter { name in endings.contains { name.hasSuffix($0) } && !name.contains("__pycache__") }
            .map { "\(folder)/\($0)" }
            .sorted()
    }

    /// What a file holds, line by line, without the line breaks.
    static func lines(of file: String) throws -> [Substring] {
        let data = try Data(contentsOf: URL(filePath: path(file)))
        return String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }

    private static func path(_ relative: String) -> String { root.appending(path: relative).path }
}
