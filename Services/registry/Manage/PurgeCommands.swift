import ArgumentParser
import ImageModel
import RegistryDatabase
import ServiceKit

struct PurgeCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract:
            "Removes what hangs on images that were deleted long ago; their records stay, so that no id is given twice.",
        discussion: """
            Most of it goes by itself moments after the deletion; here goes what belongs to images whose data could not be
            deleted so far.
            """
    )

    @Option(
        name: [.customLong("age_in_days"), .customLong("age-in-days")],
        parsing: .unconditional,
        help: "Only what was deleted longer ago."
    )
    var age = "30"
    @Option(
        name: [.customLong("max_rows"), .customLong("max-rows")],
        parsing: .unconditional,
        help: "The most rows of each table; -1 for all."
    )
    var maximum = "100"
    @ParentCommand var manage: ManageCommand

    func run(on database: any Database) async throws -> Int32 {
        let bounds = try PurgeBounds(age: age, maximum: maximum, now: .now)
        for child in PurgeTable.children {
            let count = try await Purge(database)
                .rows(of: child, ofImagesDeletedBefore: bounds.moment, limit: bounds.limit)
            print("\(child.table): \(count) row(s) removed.")
        }
        return 0
    }
}

struct PurgeImagesTableCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge_images_table",
        abstract:
            "Removes the records of images that were deleted long ago. Their ids may be given again from then on.",
        discussion: """
            As long as a deleted image's record is there, nobody can make an image of the same id, for instance to put
            something else in the place of a public image. Removed are the oldest first, up to one whose data waits for its
            deletion.
            """
    )

    @Option(
        name: [.customLong("age_in_days"), .customLong("age-in-days")],
        parsing: .unconditional,
        help: "Only what was deleted longer ago."
    )
    var age = "180"
    @Option(
        name: [.customLong("max_rows"), .customLong("max-rows")],
        parsing: .unconditional,
        help: "The most records; -1 for all."
    )
    var maximum = "100"
    @ParentCommand var manage: ManageCommand

    func run(on database: any Database) async throws -> Int32 {
        let bounds = try PurgeBounds(age: age, maximum: maximum, now: .now)
        do {
            let count = try await Purge(database).images(deletedBefore: bounds.moment, limit: bounds.limit)
            print("images: \(count) row(s) removed. Their ids may be given again.")
            return 0
        } catch let error as DatabaseError where error.code == .foreignKeyViolation {
            throw ProgramFailure(
                "Purge command failed: something still hangs on a deleted image; older records may be gone. Run \"glance-manage db purge\" first; data "
                    + "that could not be deleted so far has to go before."
            )
        }
    }
}

/// What a purge may take.
struct PurgeBounds {
    /// Deleted before then.
    var moment: Timestamp
    /// `nil` for any number.
    var limit: Int64?

    /// - Throws: ``ProgramFailure`` with the reference's sentences.
    init(age: String, maximum: String, now: Timestamp) throws {
        guard let days = Int64(age) else { throw ProgramFailure("Invalid int value for age_in_days: \(age)") }
        guard let rows = Int64(maximum) else { throw ProgramFailure("Invalid int value for max_rows: \(maximum)") }
        guard days >= 0 else { throw ProgramFailure("Must supply a non-negative value for age.") }
        let day: Int64 = 86_400_000_000
        guard days < now.microseconds / day else {
            throw ProgramFailure("Maximal age is count of days since epoch.")
        }
        guard rows >= -1 else { throw ProgramFailure("Minimal rows limit is -1.") }
        moment = Timestamp(microseconds: now.microseconds - days * day)
        limit = rows == -1 ? nil : rows
    }
}
