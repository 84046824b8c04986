internal import DataUpkeep
internal import ImageModel
internal import Logging
internal import RegistryContract
internal import StoreLayer
internal import Synchronization

/// The upload sessions whose bytes this process has open, at most ``limit``. One that is not among them is opened when
/// somebody asks for it; its digests then begin anew.
final class LiveUploads: Sendable {
    /// Each costs a descriptor and up to 2 MiB while bytes come.
    static let limit = 256

    private struct Entry {
        var opening: Task<LiveUpload, any Error>
        var upload: LiveUpload?
        var usedAt: ContinuousClock.Instant
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let registry: any RegistryClient
    private let logger: Logger

    init(registry: any RegistryClient, logger: Logger) {
        self.registry = registry
        self.logger = logger
    }

    /// The open session of an attempt; `open` is asked once for it, whoever waits.
    ///
    /// - Throws: `unavailable` while too many are in use; what `open` throws.
    func upload(
        _ attempt: String,
        open: @escaping @Sendable () async throws -> LiveUpload
    ) async throws -> LiveUpload {
        try makeRoom(besides: attempt)
        let opening = entries.withLock { entries in
            if entries[attempt] == nil {
                // Of no request alone: others may wait for it, too.
                let opening = Task {
                    do {
                        let upload = try await open()
                        self.entries.withLock { $0[attempt]?.upload = upload }
                        return upload
                    } catch {
                        self.entries.withLock { $0[attempt] = nil }
                        throw error
                    }
                }
                entries[attempt] = Entry(opening: opening, usedAt: .now)
            }
            entries[attempt]?.usedAt = .now
            return entries[attempt]?.opening
        }
        guard let opening else { preconditionFailure("it was put there") }
        return try await opening.value
    }

    private func makeRoom(besides attempt: String) throws(ServiceError) {
        let room: (isThere: Bool, evicted: LiveUpload?) = entries.withLock { entries in
            guard entries[attempt] == nil, entries.count >= Self.limit else { return (true, nil) }
            let idle = entries.filter { $0.value.upload?.isIdle == true }
            guard let oldest = idle.min(by: { $0.value.usedAt < $1.value.usedAt }) else { return (false, nil) }
            entries[oldest.key] = nil
            return (true, oldest.value.upload)
        }
        room.evicted?.interrupt(isOver: false)
        guard room.isThere else {
            throw ServiceError(.unavailable, "Too many uploads are under way; try again later.")
        }
    }

    /// Lets go of a session that is over.
    func remove(_ attempt: String) {
        entries.withLock { $0.removeValue(forKey: attempt) }?.upload?.interrupt(isOver: true)
    }

    /// Lets go of sessions that are over: expired, or deleted with their images, by whatever node.
    func dropEnded() async {
        let attempts = entries.withLock { entries in entries.filter { $0.value.upload != nil }.map(\.key) }
        guard !attempts.isEmpty else { return }
        do throws(RegistryError) {
            let states = try await registry.call(
                CheckAttempts(attempts: attempts),
                as: .service,
                requestID: "sessions"
            )
            for attempt in Set(attempts).subtracting(states.pending) { remove(attempt) }
        } catch {
            logger.warning("Upload sessions could not be checked", metadata: ["error": "\(error)"])
        }
    }
}
