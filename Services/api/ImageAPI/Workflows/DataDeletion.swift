internal import ImageModel
internal import Logging
internal import RegistryContract
internal import StoreLayer

/// Carries out queued deletions in the stores. Doing one twice, late, or from two nodes at once harms nothing.
struct DataDeletion: Sendable {
    let registry: any RegistryClient
    let catalogue: StoreCatalogue
    let logger: Logger
    /// Nobody waits longer than this for a store that hangs; the deletion stays queued.
    var timeLimit = Duration.seconds(10)

    struct Outcome: Sendable {
        /// Gone, or was gone already.
        var removed: [Int64] = []
        /// To be tried again later.
        var postponed: [Int64] = []
        /// Why a store refused for good.
        var refusal: ServiceError?
    }

    func remove(_ deletions: [PendingDeletion]) async -> Outcome {
        var outcome = Outcome()
        for deletion in deletions {
            do throws(StoreError) {
                try await remove(deletion)
                outcome.removed.append(deletion.id)
            } catch {
                switch error.code {
                case .forbidden where StagingArea.isRecorded(deletion.store),
                    .inUse where StagingArea.isRecorded(deletion.store):
                    // Nobody's data yet: it keeps no image alive.
                    outcome.postponed.append(deletion.id)
                case .notFound, .unsupported, .invalidLocation:
                    // Nothing of ours is there, or the place is not ours to delete from.
                    outcome.removed.append(deletion.id)
                case .forbidden:
                    outcome.postponed.append(deletion.id)
                    outcome.refusal = ServiceError(.forbidden, error.message, cause: error)
                case .inUse:
                    outcome.postponed.append(deletion.id)
                    outcome.refusal = ServiceError(
                        .conflict,
                        "Image \(deletion.image) could not be deleted because it is in use: \(error.message)",
                        cause: error
                    )
                case .alreadyExists, .sizeMismatch, .digestMismatch, .tooLarge, .full, .writeDenied, .addingDisabled,
                    .unavailable, .timedOut, .superseded, .failed:
                    outcome.postponed.append(deletion.id)
                    logger.warning(
                        "Data could not be deleted and stays queued",
                        metadata: ["image.id": "\(deletion.image)", "error": "\(error)"]
                    )
                }
            }
        }
        return outcome
    }

    private func remove(_ deletion: PendingDeletion) async throws(StoreError) {
        guard let store = catalogue.store(holding: StoreLocation(url: deletion.url, store: deletion.store)) else {
            throw StoreError(.unavailable, "This node has not the store that holds the data")
        }
        try await withTimeLimit(timeLimit) { () async throws(StoreError) in
            if deletion.isUnfinished {
                try await store.discard(
                    IntendedLocation(url: deletion.url, object: deletion.image.text, attempt: deletion.attempt)
                )
            } else {
                try await store.delete(deletion.url, identity: deletion.identity)
            }
        }
    }

    /// Tells the registry what came of it. What cannot be told is found again by housekeeping.
    func report(_ outcome: Outcome, requestID: String) async {
        do throws(RegistryError) {
            if !outcome.removed.isEmpty {
                _ = try await registry.call(FinishDeletions(ids: outcome.removed), as: .service, requestID: requestID)
            }
            if !outcome.postponed.isEmpty {
                _ = try await registry.call(
                    PostponeDeletions(ids: outcome.postponed),
                    as: .service,
                    requestID: requestID
                )
            }
        } catch {
            logger.warning("Deletions could not be reported and will be repeated", metadata: ["error": "\(error)"])
        }
    }
}

extension Caller {
    /// The service itself, for what no client asked for.
    static let service = Caller(user: "glance", roles: ["service"], isAdmin: true)
}

/// Runs a store's operation for so long; one that goes on is left to end by itself, and counts as timed out.
func withTimeLimit(
    _ limit: Duration,
    _ body: @escaping @Sendable () async throws(StoreError) -> Void
) async throws(StoreError) {
    let result: Result<Void, StoreError> = await withCheckedContinuation { continuation in
        let race = FirstResult(continuation)
        let timer = Task {
            // Cancelled when the store was quicker; what is said then comes second and is not heard.
            try? await Task.sleep(for: limit)
            race.finish(.failure(StoreError(.timedOut, "The store did not answer in time")))
        }
        // Unstructured: a call into a hanging store cannot be cancelled, and must not be waited for.
        Task {
            race.finish(await outcome(of: body))
            timer.cancel()
        }
    }
    try result.get()
}

private func outcome(of body: @Sendable () async throws(StoreError) -> Void) async -> Result<Void, StoreError> {
    do throws(StoreError) {
        try await body()
        return .success(())
    } catch {
        return .failure(error)
    }
}
