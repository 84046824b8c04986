import RegistryDatabase
import Testing

/// How SQLite would find the images of a list, by `EXPLAIN QUERY PLAN`. Plans do not depend on data: nothing gathers
/// statistics.
struct QueryPlan: CustomStringConvertible {
    /// All steps, a line each, as SQLite words them.
    var description: String
    /// The steps of each walk over images, without those that only test one image.
    private(set) var walks: [[String]] = []
    /// Whether rows are sorted as a whole, by walk.
    private(set) var sorts: [Bool] = []

    init(_ steps: [String]) {
        description = steps.joined(separator: "\n")
        let arms = steps.indices.filter { steps[$0].hasPrefix("CO-ROUTINE w") }
        guard !arms.isEmpty else {
            // Records are read in the course of the one walk; what belongs to them comes behind it.
            let end = steps.firstIndex { $0.hasPrefix("SEARCH p USING PRIMARY KEY (image_id=?)") } ?? steps.endIndex
            add(Array(steps[..<end]), isSorted: steps.last?.contains("ORDER BY") ?? false)
            return
        }
        for start in arms {
            let name = steps[start].dropFirst("CO-ROUTINE ".count)
            let end = steps[start...].firstIndex { $0 == "SCAN \(name)" } ?? steps.endIndex
            let arm = Array(steps[(start + 1)..<end])
            add(arm, isSorted: arm.contains { $0.contains("ORDER BY") })
        }
    }

    private mutating func add(_ steps: [String], isSorted: Bool) {
        let tables = ["i", "d", "page", "t", "image_tags", "image_properties"]
        walks.append(
            steps.filter { step in
                (step.hasPrefix("SEARCH ") || step.hasPrefix("SCAN "))
                    && tables.contains(String(step.split(separator: " ")[1])) && !step.contains("PRIMARY KEY")
            }
        )
        sorts.append(isSorted)
    }
}

extension RecordingConnection {
    /// The plan of the last statement.
    func plan() throws -> QueryPlan {
        guard let last = statements.last else { return QueryPlan([]) }
        return QueryPlan(try query("EXPLAIN QUERY PLAN \(last.sql)", last.values) { $0.text(3) })
    }
}
