public import ImageModel
public import Logging
public import RegistryContract
public import StoreLayer

/// Carries out queued deletions in the stores. Doing one twice, late, or from two nodes at once harms nothing.
public struct DataDeletion: Sendable {
    let registry: any RegistryClient
    let catalogue: StoreCatalogue
    let logger: Logger
    private let timeLimit: Duration

    /// - Parameter timeLimit: Nobody waits longer than this for a store that hangs; the deletion stays queued.
    public init(
        registry: any RegistryClient,
        catalogue: StoreCatalogue,
        timeLimit: Duration = .seconds(10),
        logger: Logger
    ) {
        self.registry = registry
        self.catalogue = catalogue
        self.timeLimit = timeLimit
        self.logger = logger
    }

    public struct Outcome: Sendable {
        /// Gone, or was gone already.
        public var removed: [Int64] = []
        /// To be tried again later.
        public var postponed: [Int64] = []
        /// Those of the stores that did not answer, as the locations name them; `""` without a name.
        public var outages: Set<String> = []
        /// Why a store refused for good.
        public var refusal: ServiceError?
    }

    public func remove(_ deletions: [PendingDeletion]) async -> Outcome {
        var outcome = Outcome()
        for deletion in deletions {
            do throws(StoreError) {
                try await remove(deletion)
                outcome.removed.append(deletion.id)
            } catch {
                if error.code == .unavailable || error.code == .timedOut {
                    outcome.outages.insert(deletion.store ?? "")
                }
                switch error.code {
                case .forbidden where StagingArea.isRecorded(deletion.store),
                    .inUse where StagingArea.isRecorded(deletion.store):
                    // Nobody's data yet: it keeps no image alive.
                    outcome.postponed.append(deletion.id)
                case .invalidLocation where !WebLocation.has(deletion.url):
                    // Another configuration put it there: whoever has that one may come back.
                    outcome.postponed.append(deletion.id)
                    logger.warning(
                        "Data lies where no configured store keeps any, and stays queued for deletion",
                        metadata: ["image.id": "\(deletion.image)", "store": "\(deletion.store ?? "-")"]
                    )
                case .notFound, .unsupported, .invalidLocation:
                    // Nothing of ours is there, or the place is not ours to delete from.
                    outcome.removed.append(deletion.id)
                    logger.info(
                        "There was nothing to delete",
                        metadata: ["image.id": "\(deletion.image)", "reason": "\(error.message)"]
                    )
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
        let removal = Pending { () async throws(StoreError) in
            if deletion.isUnfinished {
                try await store.discard(
                    IntendedLocation(url: deletion.url, object: deletion.image.text, attempt: deletion.attempt)
                )
            } else {
                try await store.delete(deletion.url, identity: deletion.identity)
            }
        }
        try await removal.value(within: timeLimit)
    }

    /// Tells the registry what came of it. What cannot be told is found again by housekeeping.
    public func report(_ outcome: Outcome, requestID: String) async {
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
