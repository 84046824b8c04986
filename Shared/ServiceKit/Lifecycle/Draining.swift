public import Logging
public import ServiceLifecycle
internal import Synchronization

/// The time between being asked to stop and stopping: the health check already says no, so that load balancers and clients
/// move on, while everything is still answered.
///
/// Answers carry `Connection: close` meanwhile. Stands last among the services of a program, which stop in reverse order.
public final class Draining: Service {
    private let delay: Duration
    private let manager: ServiceManager
    private let logger: Logger
    private let flag = Atomic(false)

    /// - Parameter delay: How long the service goes on after it was asked to stop.
    public init(delay: Duration, manager: ServiceManager, logger: Logger) {
        self.delay = delay
        self.manager = manager
        self.logger = logger
    }

    /// Whether the process was asked to stop.
    public var isDraining: Bool { flag.load(ordering: .relaxed) }

    public func run() async throws {
        // Ends by being cancelled when the process is asked to stop.
        await cancelWhenGracefulShutdown { try? await Task.sleep(for: .seconds(1 << 40)) }
        flag.store(true, ordering: .relaxed)
        manager.tell(.stopping)
        guard delay > .zero else { return }
        logger.notice("Asked to stop; going on for a moment, so that others can move on", metadata: ["for": "\(delay)"])
        // Not cancelled: the shutdown has a bound of its own.
        try? await Task.sleep(for: delay)
    }
}
