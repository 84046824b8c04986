import Logging
import NodeOptions
import RegistryContract
import ServiceKit
import ServiceLifecycle

/// Does a round again and again, as a daemon does. A round that fails is told and repeated like any other.
struct Rounds: Service {
    let node: ScrubberNode
    let manager: ServiceManager
    let pause: Duration
    let round: @Sendable () async throws -> Void

    func run() async throws {
        manager.tell(.ready)
        await cancelWhenGracefulShutdown {
            var hasReleased = false
            while !Task.isCancelled {
                do {
                    if !hasReleased { hasReleased = try await node.releaseEarlier() }
                    try await round()
                } catch is CancellationError {
                    return
                } catch {
                    node.logger.warning(
                        "A round failed and is repeated",
                        metadata: ["error": "\(ScrubberNode.sentence(for: error))"]
                    )
                }
                await node.writeMetrics()
                // Cancelled at shutdown: the loop ends.
                try? await Task.sleep(for: pause)
            }
        }
    }
}

extension ScrubberNode {
    /// Does rounds until the process is asked to stop (SIGTERM, SIGINT); keys and certificates are read anew with SIGHUP.
    func runDaemon(_ round: @escaping @Sendable () async throws -> Void) async throws {
        let manager = ServiceManager()
        // A pause of no time would ask the registry without end.
        let pause = max(1, try configuration.value(of: ScrubberOptions.wakeupTime))
        let reloads = Reloads(manager: manager, logger: logger, [{ hop.reload() }])
        let rounds = Rounds(node: self, manager: manager, pause: .seconds(pause), round: round)
        logger.notice("Working", metadata: ["holder": "\(holder.node)", "wakeup_time": "\(pause)"])
        try await runServices(
            [reloads, rounds],
            shutdownTimeout: .seconds(60),
            logger: Logger(label: "glance.scrubber.lifecycle")
        )
        logger.notice("Stopped")
    }
}
