import Foundation
import ImageModel
import RegistryDatabase
import Testing

/// The registry of an earlier release, as far as its database sees it: `Tests/Releases/<migration>/statements.sql`, which
/// is never changed.
struct ReleasedStatements: Sendable {
    private let sections: [String: [String]]

    init(_ release: String) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Releases/\(release)/statements.sql")
        var sections: [String: [String]] = [:]
        // A section begins with its name alone on a comment's line.
        for section in try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n\n-- ").dropFirst() {
            let (name, text) = try #require(section.firstIndex(of: "\n").map { (section[..<$0], section[$0...]) })
            sections[String(name)] =
                text.components(separatedBy: ";\n").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
                .filter { !$0.isEmpty }
        }
        self.sections = sections
    }

    /// What an image goes through, in one transaction an operation.
    func run(
        _ operations: [String],
        on id: ImageID,
        of owner: String = "older",
        at now: Timestamp = .start,
        _ database: any Database
    ) async throws {
        for operation in operations {
            let statements = try #require(sections[operation], "\(operation) is not recorded").map { statement in
                statement.replacing("{id}", with: id.text).replacing("{owner}", with: owner)
                    .replacing("{now}", with: String(now.microseconds))
            }
            let changed = try await database.write { connection in
                try statements.map { statement in
                    // Rows that are answered are counted as rows.
                    statement.contains("RETURNING")
                        ? try connection.query(statement, []) { _ in true }.count
                        : try connection.execute(statement, [])
                }
            }
            #expect(changed.allSatisfy { $0 == 1 }, "\(operation): \(changed)")
        }
    }
}
