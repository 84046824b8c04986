import ArgumentParser
import RegistryHTTP
import ServiceKit

@main
struct ScrubberCommand: ConfiguredProgram {
    static let options = ScrubberOptions.all
    static let configuration = CommandConfiguration(
        commandName: "glance-scrubber",
        abstract: "Removes the data of deleted images, and verifies the data of those that are there.",
        discussion: """
            Asks glance-registry what is to be done, and does it in the stores. Run it where the stores can be reached, \
            beside running services, as often and on as many machines as you like.

              glance-scrubber                  remove what is due, once
              glance-scrubber --daemon         and again, every wakeup_time
              glance-scrubber --restore IMAGE  give a pending_delete image back
              glance-scrubber verify           compare data with its digests
              glance-scrubber damaged          name what was found damaged

            Without --config-file it reads /etc/glance/glance-api.conf, for stores and registries are named there, and \
            then /etc/glance/glance-scrubber.conf, where there is one; the later file wins.
            """,
        subcommands: [ScrubCommand.self, VerifyCommand.self, DamagedCommand.self, OptionsCommand<Self>.self],
        defaultSubcommand: ScrubCommand.self
    )
}

/// What the commands have in common: failures become a sentence and status 1, what was found a status of its own.
protocol ScrubberTask: AsyncParsableCommand {
    var files: ConfigurationFiles { get }
    /// Names the process among others.
    static var program: String { get }
    /// - Returns: the exit status.
    func run(on node: ScrubberNode) async throws -> Int32
}

extension ScrubberTask {
    func run() async throws {
        let status: Int32
        do {
            let node = try await ScrubberNode(files, as: Self.program)
            do {
                status = try await run(on: node)
            } catch {
                await node.registry.shutdown()
                throw error
            }
            await node.registry.shutdown()
        } catch {
            exitProgram("glance-scrubber", because: ScrubberNode.sentence(for: error))
        }
        guard status == 0 else { throw ExitCode(status) }
    }
}
