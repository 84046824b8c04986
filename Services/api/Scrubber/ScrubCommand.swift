import ArgumentParser
import DataUpkeep
import ImageModel
import RegistryContract
import RegistryHTTP
import ServiceKit

struct ScrubCommand: ScrubberTask {
    static let program = "glance-scrubber"
    static let configuration = CommandConfiguration(
        commandName: "scrub",
        abstract: "Removes the data of deleted images whose time has come (the default).",
        discussion: """
            With delayed_delete a deleted image becomes pending_delete: nobody sees it, and its data stays. A scrubber \
            removes the data once scrub_time is over, and whatever else waits to be deleted: what an upload left behind, \
            or a store would not delete. A round asks each store for each deletion once.

            What cannot be deleted stays queued: the next round tries again. Several scrubbers may run at once, and one \
            that is killed loses nothing.

            A line on standard output sums a single round up. Exit status: 0 when nothing that was due is left, 1 when the \
            round could not be done, 2 when a store would not do everything.

            --restore makes an image active again that is pending_delete, with all that belongs to it, as long as no \
            scrubber has begun to remove its data. It ends with 0, or with 1 and the reason.
            """
    )

    @OptionGroup var files: ConfigurationFiles

    @Flag(name: [.customShort("D"), .customLong("daemon")], help: "Go on, with a round every wakeup_time seconds.")
    var isDaemon = false

    @Flag(name: .customLong("nodaemon"), help: "Do one round, which is the default.")
    var isNoDaemon = false

    @Option(name: .customLong("restore"), help: "Give this image back instead of removing anything.")
    var restored: String?

    func validate() throws {
        guard !(isDaemon && isNoDaemon) else { throw ValidationError("--daemon and --nodaemon exclude each other") }
        guard let restored else { return }
        guard !isDaemon else { throw ValidationError("--restore and --daemon exclude each other") }
        guard ImageID(restored) != nil else {
            throw ValidationError("'\(restored)' is no image's id: a UUID is expected")
        }
    }

    func run(on node: ScrubberNode) async throws -> Int32 {
        if let image = restored.flatMap(ImageID.init) {
            _ = try await node.registry.call(UndeleteImage(id: image), as: .service, requestID: "restore")
            print("Image \(image) is active again.")
            return 0
        }
        let scrub = Scrub(
            registry: node.registry,
            data: DataDeletion(registry: node.registry, catalogue: node.catalogue, logger: node.logger),
            stores: node.stores,
            holder: node.holder,
            poolSize: try node.configuration.value(of: ScrubberOptions.poolSize),
            logger: node.logger
        )
        if isDaemon {
            try await node.runDaemon { _ = try await scrub.round() }
            return 0
        }
        try await node.releaseEarlier()
        let summary = try await scrub.round()
        await node.writeMetrics()
        print("Removed data at \(summary.removed) location(s); at \(summary.postponed) it stays queued.")
        return summary.postponed > 0 ? 2 : 0
    }
}
