import ArgumentParser
import Logging
import RegistryDatabase
import ServiceKit

@main
struct ManageCommand: AsyncParsableCommand {
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

    static func main() async { await main(OlderCommands.translated(Array(CommandLine.arguments.dropFirst()))) }
}

struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db",
        abstract: "The database's schema, what deletions left in it, and the catalogue of metadata definitions.",
        subcommands: [
            SyncCommand.self, ExpandCommand.self, ContractCommand.self, VersionCommand.self, CheckCommand.self,
            PurgeCommand.self, PurgeImagesTableCommand.self, LoadMetadefsCommand.self, UnloadMetadefsCommand.self,
            ExportMetadefsCommand.self,
        ]
    )
}

/// Runs one command against the database and turns failures into a sentence.
protocol ToolCommand: AsyncParsableCommand {
    var manage: ManageCommand { get }
    /// - Returns: the exit status.
    func run(on database: any Database) async throws -> Int32
}

extension ConfigurationFiles {
    /// Opens the database that the configuration names, beside whoever else uses it.
    func openDatabase() async throws -> (database: any Database, configuration: ServiceConfiguration) {
        let (configuration, logger) = try start(
            "glance-manage",
            standard: "/etc/glance/glance-registry.conf",
            options: nil
        )
        let opener = ConfiguredDatabase(configuration, program: "glance-manage", user: .tool, logger: logger)
        return (try await opener.open(), configuration)
    }
}

extension ToolCommand {
    func run() async throws {
        let code: Int32
        do {
            let (database, _) = try await manage.files.openDatabase()
            do {
                code = try await run(on: database)
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
