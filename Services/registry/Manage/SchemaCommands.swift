import ArgumentParser
import RegistryDatabase

struct SyncCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Creates the schema or brings it up to date. Safe to repeat, and to run from several nodes at once.",
        discussion: "No registry of an earlier release may be running: see 'expand' for an upgrade without a break."
    )

    @Option(help: "Ignored; the schema is always brought to the newest version, as in the reference.")
    var version: String?
    @ParentCommand var manage: ManageCommand

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

    func run(on database: any Database) async throws -> Int32 {
        let applied = try await MigrationRunner(Migration.all).sync(database, through: .expand)
        printApplied(applied, none: "No expansion needed.")
        return 0
    }
}

struct ContractCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "contract",
        abstract: "Takes away what only registries of the release before needed; none of them may run any more.",
        discussion: "Refused before the database is expanded."
    )

    @ParentCommand var manage: ManageCommand

    func run(on database: any Database) async throws -> Int32 {
        let runner = MigrationRunner(Migration.all)
        if let first = try await runner.status(database).pending.first, first.phase == .expand {
            throw MigrationError(
                "The database lacks migration \(first.number) (\(first.name)): run \"glance-manage db expand\" first."
            )
        }
        printApplied(try await runner.sync(database), none: "No contraction needed.")
        return 0
    }
}

struct VersionCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Prints the number of the newest migration that was applied; 0 for none."
    )

    @ParentCommand var manage: ManageCommand

    func run(on database: any Database) async throws -> Int32 {
        print(try await MigrationRunner(Migration.all).status(database).version)
        return 0
    }
}

struct CheckCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Says whether migrations are needed: exits 0 when none are, 3 to expand, 5 to contract."
    )

    @ParentCommand var manage: ManageCommand

    func run(on database: any Database) async throws -> Int32 {
        let pending = try await MigrationRunner(Migration.all).status(database).pending
        guard let first = pending.first else {
            print("The database is up to date.")
            return 0
        }
        print("\(pending.count) migration(s) are needed, the first is '\(first.name)': run 'glance-manage db sync'.")
        return first.phase == .expand ? 3 : 5
    }
}

private func printApplied(_ applied: [Migration], none: String) {
    print(applied.isEmpty ? none : "Migrated: \(applied.map { "\($0.number) \($0.name)" }.joined(separator: ", "))")
}
