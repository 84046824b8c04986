import ArgumentParser
import DataUpkeep
import ImageModel
import NIOCore
import ServiceKit
import StoreLayer

struct VerifyCommand: ScrubberTask {
    static let program = "glance-verifier"
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Reads data again and compares it with what was recorded when it was stored.",
        discussion: """
            Every copy of the data of active and deactivated images is read from its store, at most verify_rate bytes a \
            second, and its length, checksum (MD5) and os_hash_value are compared. A copy that differs, or that its store \
            has no more, is marked: the log tells, 'glance-scrubber damaged' names it, and what differs is not given to \
            clients any more. The mark goes when the copy is found sound again.

            A store that does not answer says nothing about its data: what could not be read is tried again later. Data on \
            the web is not ours to verify.

            The registry remembers what was verified when: what was verified less than verify_interval ago is left alone, \
            the rest comes in the order of its age. So a run that was interrupted goes on where it was, and several may \
            share the work.

            A line on standard output sums a single round up. Exit status: 0 when all that was read is sound, 1 when the \
            round could not be done, 2 when damage was found, 3 when none was found but not everything could be read.
            """
    )

    @OptionGroup var files: ConfigurationFiles

    @Flag(name: [.customShort("D"), .customLong("daemon")], help: "Go on, with a round every wakeup_time seconds.")
    var isDaemon = false

    @Flag(name: .customLong("all"), help: "Read everything, whenever it was verified last.")
    var isAll = false

    @Option(name: .customLong("image"), help: "Read the data of this image alone, whenever it was verified last.")
    var image: String?

    func validate() throws {
        if isDaemon, isAll || image != nil { throw ValidationError("--daemon goes with neither --all nor --image") }
        if isAll, image != nil { throw ValidationError("--all and --image exclude each other") }
        if let image, ImageID(image) == nil { throw ValidationError("'\(image)' is no image's id: a UUID is expected") }
    }

    func run(on node: ScrubberNode) async throws -> Int32 {
        let verification = Verification(
            registry: node.registry,
            catalogue: node.catalogue,
            stores: node.stores,
            holder: node.holder,
            pace: Pace(bytesPerSecond: try ScrubberOptions.verifyRate(in: node.configuration)),
            threads: WorkerThreads(count: max(2, NIOCore.System.coreCount)),
            logger: node.logger
        )
        let interval = Duration.seconds(isAll ? 0 : try node.configuration.value(of: ScrubberOptions.verifyInterval))
        if isDaemon {
            try await node.runDaemon { _ = try await verification.round(before: .now.advanced(by: .zero - interval)) }
            return 0
        }
        try await node.releaseEarlier()
        let summary = try await verification.round(
            before: .now.advanced(by: .zero - interval),
            image: image.flatMap(ImageID.init)
        )
        await node.writeMetrics()
        if let image, summary == Verification.Summary() {
            throw ProgramFailure("image \(image) has no data in these stores that could be verified")
        }
        print(
            "Verified \(summary.sound + summary.damaged) copies: \(summary.damaged) damaged; \(summary.unread) could not be read."
        )
        return summary.damaged > 0 ? 2 : summary.unread > 0 ? 3 : 0
    }
}
