internal import ImageModel
public import Logging
public import RegistryDatabase
public import ServiceLifecycle

/// Ends uploads whose lease has passed on, forgets old idempotency keys and finished upload sessions, and keeps the
/// registry's clock with the database's. Any number of registries may do so at once.
public struct Housekeeping: Service {
    private let context: RegistryContext
    private let clock: RegistryClock
    private let clocks: ClockWatch
    private let logger: Logger

    /// - Parameter clock: the context's.
    public init(context: RegistryContext, clock: RegistryClock, clocks: ClockWatch, logger: Logger) {
        self.context = context
        self.clock = clock
        self.clocks = clocks
        self.logger = logger
    }

    public func run() async throws {
        let pause = min(context.uploadLease / 4, .seconds(5))
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await round()
                // Cancelled at shutdown: the loop ends.
                try? await Task.sleep(for: pause)
            }
        }
    }

    private func round() async {
        do {
            // Asked by a reader first: most rounds find nothing, and then nobody waits for the writer.
            let (ahead, now, hasExpired, hasOldKeys, hasOldSessions) = try await context.database.read { connection in
                let ahead = try clock.follow(connection)
                let now = context.now()
                return (
                    ahead,
                    now,
                    try UploadTable(connection).hasExpired(at: now),
                    try AppliedWriteTable(connection).hasEntries(
                        before: now.advanced(by: .zero - AppliedWriteTable.memory)
                    ),
                    try UploadSessionTable(connection).hasFinishedLongAgo(at: now)
                )
            }
            if hasExpired {
                let ended = try await context.database.write { try UploadTable($0).reap(at: now) }
                logger.notice("Uploads whose lease had passed on were ended", metadata: ["count": "\(ended)"])
            }
            if hasOldKeys {
                _ = try await context.database.write {
                    try AppliedWriteTable($0).forget(before: now.advanced(by: .zero - AppliedWriteTable.memory))
                }
            }
            if hasOldSessions {
                try await context.database.write { try UploadSessionTable($0).forgetFinished(at: now) }
            }
            if let ahead { clocks.record(ahead, to: .database, at: "[database] connection") }
        } catch {
            logger.warning("A round of housekeeping failed and is repeated", metadata: ["error": "\(error)"])
        }
    }
}
