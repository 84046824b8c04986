import ArgumentParser
import Glibc
import RegistryDatabase
import ServiceKit

struct DataCommand: CommandGroup {
    static let configuration = CommandConfiguration(
        commandName: "data",
        abstract: "The image data in the stores, as far as the records tell of it.",
        subcommands: [DataCheckCommand.self]
    )
}

/// Where the stores are. The registry does not know; the API's configuration does.
struct StoreArguments: ParsableArguments {
    @Option(
        name: .customLong("api-config-file"),
        help: """
            The configuration of the API, whose stores are looked at; may be given several times. glance-api.conf beside the \
            registry's, or in /etc/glance, when it is not given.
            """
    )
    var files: [String] = []
    @Option(help: "The host name of the API whose staging directory this machine has; this machine's by default.")
    var host: String?

    /// - Throws: a sentence when there is no configuration of an API, or a wrong one.
    func places(beside registry: ConfigurationFiles) throws -> [StorePlace] {
        var files = files
        if files.isEmpty {
            guard let found = registry.companion("glance-api.conf") else {
                throw ProgramFailure(
                    "the stores are named in the API's configuration, and no glance-api.conf was found: name it with "
                        + "--api-config-file"
                )
            }
            files = [found]
        }
        return try StorePlace.all(in: try ConfigurationFiles.read(files))
    }

    /// - Returns: the exit status.
    func check(_ database: any Database, _ places: [StorePlace]) async throws -> Int32 {
        guard try await MigrationRunner(Migration.all).status(database).version > 0 else {
            throw ProgramFailure("the database has no schema yet: run \"glance-manage db sync\"")
        }
        for place in places where !place.isStaging && !place.isThere {
            complain("\(place.path) is not there: is its file system mounted?")
        }
        var check = DataCheck(database, places, host: host ?? Self.hostName, progress: Progress()) { print($0) }
        try await check.run()
        let found = check.summary
        let elsewhere = found.elsewhere == 0 ? "" : " (\(found.elsewhere) of them elsewhere and not looked at)"
        print(
            """
            Compared \(found.locations) location(s)\(elsewhere) and \(found.files) file(s): \(found.lacking) location(s) or \
            image(s) without their data, \(found.unrecorded) file(s) without a record.
            """
        )
        return found.lacking > 0 ? 2 : found.unrecorded > 0 ? 3 : 0
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        // Without a name no staged data is ours, and none is looked for.
        gethostname(&name, name.count - 1)
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

struct DataCheckCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Names every location without data, and all data without a record, in the file stores.",
        discussion: """
            To be run after a restore, and whenever in doubt; while services run, too. It looks at the directories of the \
            API's file stores and at this machine's staging directory, so run it where they are mounted, as a user who may \
            read them. Nothing is deleted or changed.

            Each finding is a line:

              lacking IMAGE URL: no data
                  The file is not there: restore it, or delete the image.
              lacking IMAGE URL: N bytes instead of M
                  The file is not the one that was stored.
              lacking IMAGE URL: no configured store has this directory
                  The configuration is another's, or has changed.
              lacking IMAGE: no location
                  An active image that nobody can read.
              unrecorded PATH: N bytes
                  No image has this file: remove it when you are sure.
              unrecorded PATH: a directory, not looked into (or: a symbolic link, not followed)
                  A store keeps plain files side by side: somebody else put this there.

            Uploads under way and deletions that are queued are no findings. Files that interrupted uploads left below \
            .uploads are, when no record knows of them; a running API removes them within the hour.

            Locations on the web are not looked at, nor is what is staged on other nodes.

            Exit status: 0 when nothing was found, 1 when the check could not be done, 2 for locations without data, 3 for \
            nothing but data without a record.

            Example:

              glance-manage --config-file /etc/glance/glance-registry.conf data check
            """
    )

    @OptionGroup var stores: StoreArguments
    @ParentCommand var manage: ManageCommand

    func run(on database: any Database) async throws -> Int32 {
        try await stores.check(database, try stores.places(beside: manage.files))
    }
}
