import ArgumentParser
import RegistryDatabase
import ServiceKit

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copies the registry's SQLite database while the registry serves.",
        discussion: """
            The copy is the database as it was at one moment, in one file of mode 0600. The file has its name only when it \
            is complete, checked and on the disk; until then it is FILE.unfinished, which a run that was broken off leaves \
            behind and the next one uses again. A file that is there already is never overwritten.

            Back up the stores after the database: what the copy speaks of is then among their files.

            A database in PostgreSQL is backed up with PostgreSQL's own tools, while registries run:

              pg_dump --format=custom --file=FILE "postgresql://user@host/db"

            Exit status: 0 when the copy is there, 1 when it is not.

            Example:

              glance-manage --config-file FILE.conf backup /backup/glance.db
            """
    )

    @Argument(help: "The file to write. It must not be there yet.")
    var file: String
    @ParentCommand var manage: ManageCommand

    func run() async throws {
        do {
            let path = try manage.files.sqlitePath(
                otherwise: "The records are in PostgreSQL: back them up with its own tools, such as \"pg_dump "
                    + "--format=custom --file=\(file) DATABASE\". \"glance-manage backup --help\" says more."
            )
            let progress = Progress()
            let content = try SQLiteCopy(progress.report).back(up: path, to: file)
            print("\(file): \(content.summary). Now back up the stores.")
        } catch {
            exitProgram("glance-manage", because: (error as? DatabaseError)?.message ?? "\(error)")
        }
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Puts a backup of the SQLite database in its place, and compares it with the stores.",
        discussion: """
            Stop the registry first; put the stores' files back first, too. The database becomes the backup's whole or \
            not at all. A database in use is never replaced. One that holds anything is replaced with --force alone, and \
            is kept beside the new one as DATABASE.replaced-N, to be removed by you.

            Then what "data check" does is done: read there what its findings mean. Nothing is deleted.

            A database in PostgreSQL is restored with PostgreSQL's own tools, while no registry runs, into a new database, \
            brought up to date, and then checked:

              pg_restore --no-owner --exit-on-error --single-transaction --dbname="URL" FILE
              glance-manage db sync
              glance-manage data check

            Exit status: 0 when all is well; 1 when the database was not restored; when it was, 2 for locations without \
            data, 3 for nothing but data without a record, 4 when the stores could not be looked at.

            Example:

              glance-manage --config-file FILE.conf restore /backup/glance.db
            """
    )

    @Argument(help: "A file that 'backup' wrote, or '.backup' of sqlite3.")
    var file: String
    @Flag(help: "Replace a database that holds something already.")
    var force = false
    @Flag(name: .customLong("no-check"), help: "Do not compare the records with the stores.")
    var leavesCheck = false
    @OptionGroup var stores: StoreArguments
    @ParentCommand var manage: ManageCommand

    func run() async throws {
        let places: [StorePlace]
        let path: String
        do {
            path = try manage.files.sqlitePath(
                otherwise: "The records are in PostgreSQL: restore them with its own tools, such as \"pg_restore "
                    + "--no-owner --exit-on-error --single-transaction --dbname=NEW-DATABASE \(file)\", then run "
                    + "\"glance-manage db sync\" and \"glance-manage data check\"."
            )
            // What would keep the check from being done is said before anything is changed.
            places = leavesCheck ? [] : try stores.places(beside: manage.files)
            let progress = Progress()
            let (content, kept) = try SQLiteCopy(progress.report).restore(file, to: path, replaces: force)
            print("\(path): restored, \(content.summary).")
            if let kept { print("The former database is kept as \(kept)") }
        } catch {
            exitProgram("glance-manage", because: (error as? DatabaseError)?.message ?? "\(error)")
        }
        let code = await check(path, places)
        guard code == 0 else { throw ExitCode(code) }
    }

    /// - Returns: the exit status.
    private func check(_ path: String, _ places: [StorePlace]) async -> Int32 {
        do {
            let database = try SQLiteDatabase(path: path, readers: 1, exclusiveService: false)
            do {
                if try await !MigrationRunner(Migration.all).status(database).pending.isEmpty {
                    print("The backup is of an earlier release: run \"glance-manage db sync\" before the registry.")
                }
                let code = leavesCheck ? 0 : try await stores.check(database, places)
                await database.close()
                return code
            } catch {
                await database.close()
                throw error
            }
        } catch {
            complain("the check was not done: \((error as? DatabaseError)?.message ?? "\(error)")")
            return 4
        }
    }
}

extension SQLiteCopy.Content {
    fileprivate var summary: String {
        "\(images) image(s), schema version \(version), \(byteCount >> 20) MiB"
    }
}

extension ConfigurationFiles {
    /// The file that the configuration names as the database.
    ///
    /// - Parameter advice: what to say where it is none.
    fileprivate func sqlitePath(otherwise advice: String) throws -> String {
        let (configuration, _) = try start("glance-manage", standard: "/etc/glance/glance-registry.conf", options: nil)
        guard case .sqlite(let path) = try DatabaseOptions.location(in: configuration) else {
            throw ProgramFailure(advice)
        }
        return path
    }
}
