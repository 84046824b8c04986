import ArgumentParser
import RegistryDatabase
import ServiceKit

struct SyncCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Creates the schema or brings it up to date. Safe to repeat, and to run from several nodes at once.",
        discussion: "No registry of an earlier release may be running: see 'expand' for an upgrade without a break."
    )

    @Option(help: "Ignored; the schema is always brought to the newest version, as in the reference.")
    var version: String?
    @ParentCommand var manage: ManageCommand
    static let needs = DatabaseNeed.nothing

    func run(on database: any Database) async throws -> Int32 {
        printApplied(try await MigrationRunner(Migration.all).sync(database), none: "No migrations needed.")
        return 0
    }
}

struct ExpandCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "expand",
        abstract: "Adds to the schema what this release needs; registries of the release before go on working."
    )

    @ParentCommand var manage: ManageCommand
    static let needs = DatabaseNeed.nothing

    func run(on database: any Database) async throws -> Int32 {
        let applied = try await MigrationRunner(Migration.all).sync(database, through: .expand)
        printApplied(applied, none: "No expansion needed.")
        return 0
    }
}

/// A command that comes after the expansion. A database that is not there is told like one that was not expanded.
protocol ExpandedCommand: ToolCommand {}

extension ExpandedCommand {
    static var needs: DatabaseNeed { .database }

    func runWithoutDatabase(_ missing: MissingDatabase) throws -> Int32 {
        try MigrationRunner(Migration.all).statusOfNothing.requireExpanded()
        return 0
    }
}

struct MigrateCommand: ExpandedCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Has nothing to do: 'expand' moves the data that it needs moved. Here for scripts of operators.",
        discussion: "Refused before the database is expanded."
    )

    @ParentCommand var manage: ManageCommand

    func run(on database: any Database) async throws -> Int32 {
        try await MigrationRunner(Migration.all).status(database).requireExpanded()
        print("No migrations needed.")
        return 0
    }
}

struct ContractCommand: ExpandedCommand {
    static let configuration = CommandConfiguration(
        commandName: "contract",
        abstract: "Takes away what only registries of the release before needed; none of them may run any more.",
        discussion: "Refused before the database is expanded."
    )

    @ParentCommand var manage: ManageCommand

    func run(on database: any Database) async throws -> Int32 {
        let runner = MigrationRunner(Migration.all)
        try await runner.status(database).requireExpanded()
        printApplied(try await runner.sync(database), none: "No contraction needed.")
        return 0
    }
}

struct UpgradeCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "As 'sync', but for a version that is none.",
        discussion: "A schema has no other version to be taken to than the newest."
    )

    @Option(help: "'heads', or the number of the newest migration.")
    var version = "heads"
    @ParentCommand var manage: ManageCommand
    static let needs = DatabaseNeed.nothing

    func run(on database: any Database) async throws -> Int32 {
        let newest = Migration.all.last?.number ?? 0
        guard version == "heads" || version == "head" || Int(version) == newest else {
            throw ProgramFailure(
                "the schema can be brought to version \(newest) and to no other: leave out --version, or say \"heads\""
            )
        }
        printApplied(try await MigrationRunner(Migration.all).sync(database), none: "No migrations needed.")
        return 0
    }
}

/// A command that tells of the schema alone, where there is none too: looking makes no database.
protocol StatusCommand: ToolCommand {
    /// - Returns: the exit status.
    func tell(_ status: MigrationStatus) -> Int32
}

extension StatusCommand {
    static var needs: DatabaseNeed { .database }

    func run(on database: any Database) async throws -> Int32 {
        tell(try await MigrationRunner(Migration.all).status(database))
    }

    func runWithoutDatabase(_ missing: MissingDatabase) -> Int32 {
        tell(MigrationRunner(Migration.all).statusOfNothing)
    }
}

struct VersionCommand: StatusCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Prints the number of the newest migration that was applied; 0 for none."
    )

    @ParentCommand var manage: ManageCommand

    func tell(_ status: MigrationStatus) -> Int32 {
        print(status.version)
        return 0
    }
}

struct CheckCommand: StatusCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Says whether migrations are needed: exits 0 when none are, 3 to expand, 5 to contract."
    )

    @ParentCommand var manage: ManageCommand

    func tell(_ status: MigrationStatus) -> Int32 {
        let pending = status.pending
        guard let first = pending.first else {
            print("The database is up to date.")
            return 0
        }
        print("\(pending.count) migration(s) are needed, the first is '\(first.name)': run 'glance-manage db sync'.")
        return first.phase == .expand ? 3 : 5
    }
}

extension MigrationStatus {
    /// - Throws: ``MigrationError`` where the database lacks what this release adds.
    fileprivate func requireExpanded() throws {
        if let first = pending.first, first.phase == .expand {
            throw MigrationError(
                "The database lacks migration \(first.number) (\(first.name)): run \"glance-manage db expand\" first."
            )
        }
    }
}

private func printApplied(_ applied: [Migration], none: String) {
    print(applied.isEmpty ? none : "Migrated: \(applied.map { "\($0.number) \($0.name)" }.joined(separator: ", "))")
}
