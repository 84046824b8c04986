import ArgumentParser
import Logging
import RegistryDatabase
import ServiceKit

@main
struct ManageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "glance-manage",
        abstract: "Tends the registry's database. Works beside a running registry.",
        discussion: """
            Example:

              glance-manage --config-file /etc/glance/glance-registry.conf db sync
            """,
        subcommands: [DatabaseCommand.self, OldLoadMetadefsCommand.self]
    )

    /// Stands before the subcommand, as in the reference.
    @OptionGroup var files: ConfigurationFiles
}

extension ConfigurationFiles {
    /// Opens the database that the configuration names, beside whoever else uses it.
    func open() throws -> SQLiteDatabase { try openConfigured().database }

    /// The database, and the configuration that names it.
    func openConfigured() throws -> (database: SQLiteDatabase, configuration: ServiceConfiguration) {
        let (configuration, _) = try start("glance-manage", standard: "/etc/glance/glance-registry.conf", options: nil)
        let path = try DatabaseOptions.sqlitePath(in: configuration)
        return (try SQLiteDatabase(path: path, readers: 1, exclusiveService: false), configuration)
    }
}

struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db",
        abstract: "The database's schema, and the catalogue of metadata definitions.",
        subcommands: [
            SyncCommand.self, VersionCommand.self, CheckCommand.self, LoadMetadefsCommand.self,
            UnloadMetadefsCommand.self, ExportMetadefsCommand.self,
        ]
    )
}

/// Runs one command against the database and turns failures into a sentence.
protocol SchemaCommand: AsyncParsableCommand {
    var parent: ConfigurationFiles { get }
    func run(_ runner: MigrationRunner, _ database: SQLiteDatabase) async throws -> Int32
}

extension SchemaCommand {
    func run() async throws {
        let code: Int32
        do {
            let database = try parent.open()
            do {
                code = try await run(MigrationRunner(Migration.all), database)
            } catch {
                await database.close()
                throw error
            }
            await database.close()
        } catch {
            exitProgram("glance-manage", because: (error as? DatabaseError)?.message ?? "\(error)")
        }
        guard code == 0 else { throw ExitCode(code) }
    }
}

struct SyncCommand: SchemaCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Creates the schema or brings it up to date. Safe to repeat, and to run from several nodes at once."
    )

    @ParentCommand var manage: ManageCommand
    var parent: ConfigurationFiles { manage.files }

    func run(_ runner: MigrationRunner, _ database: SQLiteDatabase) async throws -> Int32 {
        let applied = try await runner.sync(database)
        print(
            applied.isEmpty
                ? "No migrations needed."
                : "Migrated: \(applied.map { "\($0.number) \($0.name)" }.joined(separator: ", "))"
        )
        return 0
    }
}

struct VersionCommand: SchemaCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Prints the number of the newest migration that was applied; 0 for none."
    )

    @ParentCommand var manage: ManageCommand
    var parent: ConfigurationFiles { manage.files }

    func run(_ runner: MigrationRunner, _ database: SQLiteDatabase) async throws -> Int32 {
        print(try await runner.status(database).version)
        return 0
    }
}

struct CheckCommand: SchemaCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Says whether migrations are needed: exits 0 when none are, 3 to expand, 5 to contract."
    )

    @ParentCommand var manage: ManageCommand
    var parent: ConfigurationFiles { manage.files }

    func run(_ runner: MigrationRunner, _ database: SQLiteDatabase) async throws -> Int32 {
        let pending = try await runner.status(database).pending
        guard let first = pending.first else {
            print("The database is up to date.")
            return 0
        }
        print("\(pending.count) migration(s) are needed, the first is '\(first.name)': run 'glance-manage db sync'.")
        return first.phase == .expand ? 3 : 5
    }
}
