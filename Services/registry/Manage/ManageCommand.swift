import ArgumentParser
import Glibc
import Logging
import RegistryDatabase
import ServiceKit

@main
struct ManageCommand: CommandGroup {
    static let configuration = CommandConfiguration(
        commandName: "glance-manage",
        abstract: "Tends the registry's database. Works beside a running registry, but for 'restore'.",
        discussion: """
            Examples:

              glance-manage --config-file /etc/glance/glance-registry.conf db sync
              glance-manage --config-file FILE.conf backup /backup/glance.db
            """,
        subcommands: [DatabaseCommand.self, BackupCommand.self, RestoreCommand.self, DataCommand.self]
    )

    /// Stands before the subcommand, as in the reference.
    @OptionGroup var files: ConfigurationFiles

    static func main() async {
        do {
            var command = try parseAsRoot(OlderCommands.translated(Array(CommandLine.arguments.dropFirst())))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            complain(fullMessage(for: error))
            Glibc.exit(usageStatus)
        }
    }
}

/// The exit status of a command line that means nothing (Glance, "glance-manage"); scripts tell it from a failure by it.
private let usageStatus: Int32 = 2

/// A command that does nothing without one of its subcommands.
protocol CommandGroup: AsyncParsableCommand {}

extension CommandGroup {
    func run() async throws {
        complain(ManageCommand.helpMessage(for: Self.self))
        throw ExitCode(usageStatus)
    }
}

struct DatabaseCommand: CommandGroup {
    static let configuration = CommandConfiguration(
        commandName: "db",
        abstract: "The database's schema, what deletions left in it, and the catalogue of metadata definitions.",
        subcommands: [
            SyncCommand.self, ExpandCommand.self, MigrateCommand.self, ContractCommand.self, UpgradeCommand.self,
            VersionCommand.self, CheckCommand.self, PurgeCommand.self, PurgeImagesTableCommand.self,
            LoadMetadefsCommand.self, UnloadMetadefsCommand.self,
            ExportMetadefsCommand.self,
        ]
    )
}

/// Runs one command against the database and turns failures into a sentence.
protocol ToolCommand: AsyncParsableCommand {
    static var needs: DatabaseNeed { get }
    var manage: ManageCommand { get }
    /// - Returns: the exit status.
    func run(on database: any Database) async throws -> Int32
    /// What to do where a file is missing that ``needs`` names. Tells so, unless a command knows better.
    func runWithoutDatabase(_ missing: MissingDatabase) throws -> Int32
}

/// What a command has to find.
enum DatabaseNeed {
    /// Nothing: a database file that is missing is made.
    case nothing
    case database
    case schema
}

extension ConfigurationFiles {
    /// Opens the database that the configuration names, beside whoever else uses it.
    ///
    /// - Throws: a sentence when there is not what is needed.
    func openDatabase(
        _ need: DatabaseNeed
    ) async throws -> (database: any Database, configuration: ServiceConfiguration) {
        let (configuration, logger) = try start(
            "glance-manage",
            standard: "/etc/glance/glance-registry.conf",
            options: nil
        )
        if need != .nothing, case .sqlite(let path) = try DatabaseOptions.location(in: configuration),
            access(path, F_OK) != 0, errno == ENOENT
        {
            throw MissingDatabase(path: path)
        }
        let opener = ConfiguredDatabase(configuration, program: "glance-manage", user: .tool, logger: logger)
        let database = try await opener.open()
        guard need == .schema else { return (database, configuration) }
        do {
            guard try await MigrationRunner(Migration.all).status(database).version > 0 else {
                throw ProgramFailure("the database has no schema yet: run \"glance-manage db sync\"")
            }
            return (database, configuration)
        } catch {
            await database.close()
            throw error
        }
    }
}

/// A database file that nobody has made yet.
struct MissingDatabase: Error, CustomStringConvertible {
    let path: String
    var description: String { "there is no database at \(path): run \"glance-manage db sync\" to make it" }
}

extension ToolCommand {
    static var needs: DatabaseNeed { .schema }

    func run() async throws {
        let code: Int32
        do {
            code = try await work()
        } catch {
            exitProgram("glance-manage", because: (error as? DatabaseError)?.message ?? "\(error)")
        }
        guard code == 0 else { throw ExitCode(code) }
    }

    func runWithoutDatabase(_ missing: MissingDatabase) throws -> Int32 { throw missing }

    private func work() async throws -> Int32 {
        let database: any Database
        do {
            database = try await manage.files.openDatabase(Self.needs).database
        } catch let missing as MissingDatabase {
            return try runWithoutDatabase(missing)
        }
        do {
            let code = try await run(on: database)
            await database.close()
            return code
        } catch {
            await database.close()
            throw error
        }
    }
}
