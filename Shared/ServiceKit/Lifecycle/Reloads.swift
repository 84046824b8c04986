public import Logging
public import ServiceLifecycle
internal import UnixSignals

/// Reads anew what can change while the service runs, each time that the process gets SIGHUP (`systemctl reload`).
public struct Reloads: Service {
    private let manager: ServiceManager
    private let logger: Logger
    private let reloads: [@Sendable () -> Void]

    public init(manager: ServiceManager, logger: Logger, _ reloads: [@Sendable () -> Void]) {
        self.manager = manager
        self.logger = logger
        self.reloads = reloads
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) {
                manager.tell(.reloading)
                logger.notice("Asked to read keys and certificates anew")
                for reload in reloads { reload() }
                manager.tell(.ready)
            }
        }
    }
}
