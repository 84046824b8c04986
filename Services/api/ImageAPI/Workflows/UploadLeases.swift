internal import DataUpkeep
internal import ImageModel
internal import Logging
internal import RegistryContract
internal import ServiceLifecycle
internal import Synchronization

/// One attempt's right to publish, by a clock that goes on while the process or the machine is stopped.
final class UploadLease: Sendable {
    let attempt: String
    private let duration: Duration
    private let validUntil: Mutex<ContinuousClock.Instant>

    /// - Parameter requestedAt: A moment before the registry granted the lease: it ends there no earlier than here.
    init(attempt: String, requestedAt: ContinuousClock.Instant, duration: Duration) {
        self.attempt = attempt
        self.duration = duration
        validUntil = Mutex(requestedAt + duration)
    }

    var isHeld: Bool { ContinuousClock.now < validUntil.withLock { $0 } }

    /// A quarter of its time is over.
    fileprivate var isDue: Bool { ContinuousClock.now + duration * 0.75 > validUntil.withLock { $0 } }

    fileprivate func prolong(from requestedAt: ContinuousClock.Instant) {
        validUntil.withLock { $0 = max($0, requestedAt + duration) }
    }

    fileprivate func end() { validUntil.withLock { $0 = ContinuousClock.now } }
}

/// Renews the leases of all uploads that this process runs, in one exchange each time.
final class UploadLeases: Service {
    private static let pause = Duration.milliseconds(500)

    private let registry: any RegistryClient
    private let holder: Holder
    private let logger: Logger
    private let leases = Mutex<[String: UploadLease]>([:])

    init(registry: any RegistryClient, holder: Holder, logger: Logger) {
        self.registry = registry
        self.holder = holder
        self.logger = logger
    }

    func add(_ lease: UploadLease) {
        leases.withLock { $0[lease.attempt] = lease }
    }

    func remove(_ lease: UploadLease) {
        leases.withLock { _ = $0.removeValue(forKey: lease.attempt) }
    }

    /// Must be stopped after the server, so that uploads which may finish during a graceful shutdown keep their leases.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let leases = self.leases.withLock { Array($0.values) }
                if leases.contains(where: \.isDue) { await self.renew(leases) }
                // Cancelled when the service ends: the loop ends.
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    private func renew(_ leases: [UploadLease]) async {
        let requestedAt = ContinuousClock.now
        do {
            let held = try await registry.call(
                RenewUploads(holder: holder, attempts: leases.map(\.attempt)),
                as: .service,
                requestID: "leases"
            ).held
            let kept = Set(held)
            for lease in leases {
                if kept.contains(lease.attempt) {
                    lease.prolong(from: requestedAt)
                } else {
                    lease.end()
                    remove(lease)
                }
            }
        } catch {
            // The leases run on for a while; the next round is soon.
            logger.warning("Upload leases could not be renewed", metadata: ["error": "\(error)"])
        }
    }
}
