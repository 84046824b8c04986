import Testing

@Suite("Tidiness")
struct TidinessTests {
    static let maximumLines = 600

    @Test(
        "sources have no tabs, no trailing blanks, no unexplained tasks and no paths of one machine",
        arguments: ["Shared", "Services", "Tests", "Benchmarks"]
    )
    func linesAreTidy(_ folder: String) throws {
        for file in try SourceTree.files(below: folder, endingIn: [".swift", ".py", ".sh"]) {
            for (index, line) in try SourceTree.lines(of: file).enumerated() {
                let place = "\(file):\(index + 1)"
                #expect(!line.contains("\t"), "\(place): a tab")
                #expect(line.last?.isWhitespace != true, "\(place): blanks at the end of the line")
                #expect(!hasUnexplainedTask(line), "\(place): something left to do without saying what and why")
                #expect(!machinePaths.contains { line.contains($0) }, "\(place): a path of one machine")
            }
        }
    }

    @Test("no source has outgrown one subject", arguments: ["Shared", "Services", "Tests", "Benchmarks"])
    func filesAreSmall(_ folder: String) throws {
        for file in try SourceTree.files(below: folder, endingIn: [".swift", ".py", ".sh"]) {
            let count = try SourceTree.lines(of: file).count
            #expect(count <= Self.maximumLines + 1, "\(file): \(count) lines")
        }
    }

    @Test("every folder of Swift tests is a target, so that it is run")
    func testsAreTargets() throws {
        let package = try SourceTree.lines(of: "Package.swift").joined(separator: "\n")
        let sources = try SourceTree.files(below: "Tests", endingIn: [".swift"])
        let folders = Set(sources.compactMap { $0.split(separator: "/").dropFirst().first })
        #expect(!folders.isEmpty)
        for folder in folders { #expect(package.contains("\"\(folder)\""), "Tests/\(folder) is in no target") }
    }

    /// A task says what and why in three words or more.
    private func hasUnexplainedTask(_ line: Substring) -> Bool {
        guard line.contains(task) else { return false }
        guard let explained = line.split(separator: "\(task): ", maxSplits: 1).dropFirst().first else { return true }
        return explained.split(separator: " ").count < 3
    }

    // In pieces, so that this file does not find itself.
    private let task = "TO" + "DO"
    private let machinePaths = ["work", "root", "home", "Users", "opt/swift"].map { "/" + $0 + "/" }
}
