/// Who may import whom, as `imports.txt` says.
struct ImportTable {
    let allowed: [String: Set<String>]

    init() throws {
        var allowed: [String: Set<String>] = [:]
        for line in try SourceTree.lines(of: "Tests/TidyTests/imports.txt") {
            let rule = line.prefix { $0 != "#" }.split(separator: ":", omittingEmptySubsequences: false)
            guard rule.count == 2 else { continue }
            allowed[String(rule[0])] = Set(rule[1].split(separator: " ").map(String.init))
        }
        self.allowed = allowed
    }

    /// The module a source belongs to: the folder on its way that has a line in the table.
    func module(of file: String) -> String? {
        file.split(separator: "/").dropLast().map(String.init).first { allowed[$0] != nil }
    }
}

/// A source of the services, with what it imports.
struct ServiceSource {
    let file: String
    let imports: [String]

    static func all() throws -> [ServiceSource] {
        let files = try ["Shared", "Services"].flatMap { try SourceTree.files(below: $0, endingIn: [".swift"]) }
        return try files.map { file in
            ServiceSource(file: file, imports: try SourceTree.lines(of: file).compactMap(importedModule))
        }
    }

    /// Which service it is part of: `api`, `registry`, or neither when it is shared.
    var service: Substring? {
        let parts = file.split(separator: "/")
        return parts.first == "Services" ? parts.dropFirst().first : nil
    }

    private static func importedModule(in line: Substring) -> String? {
        let words = line.split(separator: " ").drop { $0.hasPrefix("@") || accessLevels.contains($0) }
        guard words.first == "import" else { return nil }
        return words.dropFirst().first { !importKinds.contains($0) }
            .map { String($0.prefix { $0.isLetter || $0.isNumber || $0 == "_" }) }
    }

    private static let accessLevels: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
    private static let importKinds: Set<Substring> = [
        "struct", "class", "enum", "protocol", "func", "let", "var", "typealias", "actor",
    ]
}
