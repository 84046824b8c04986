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
        subcommands: [DatabaseCommand.self]
    )

    /// Stands before the subcommand, as in the reference.
    @OptionGroup var files: ConfigurationFiles
}

struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db",
        abstract: "The database's schema, and what deletions left in it.",
        subcommands: [
            SyncCommand.self, ExpandCommand.self, ContractCommand.self, VersionCommand.self, CheckCommand.self,
            PurgeCommand.self, PurgeImagesTableCommand.self,
        ]
    )
}

/// Runs one command against the database and turns failures into a sentence.
protocol ToolCommand: AsyncParsableCommand {
    var manage: ManageCommand { get }
    /// - Returns: the exit status.
    func run(on database: any Database) async throws -> Int32
}

extension ToolCommand {
    func run() async throws {
        let code: Int32
        do {
            let (configuration, logger) = try manage.files.start(
                "glance-manage",
                standard: "/etc/glance/glance-registry.conf",
                options: nil
            )
            let database = try await ConfiguredDatabase(
                configuration,
                program: "glance-manage",
                user: .tool,
                logger: logger
            ).open()
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
