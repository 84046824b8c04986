internal import DataUpkeep
internal import ImageModel
internal import Logging
internal import RegistryContract
internal import ServiceLifecycle
internal import StoreLayer

/// Keeps the stores and the registry in step: gives up what earlier processes of this node held, carries out queued
/// deletions, lets go of upload sessions that are over, and removes temporary names that belong to no attempt any more.
struct StoreHousekeeping: Service {
    let registry: any RegistryClient
    let catalogue: StoreCatalogue
    let data: DataDeletion
    let sessions: LiveUploads
    let holder: Holder
    let earlier: EarlierProcesses
    let logger: Logger

    static let pause = Duration.seconds(5)
    static let roundsBetweenSweeps = 720
    static let deletionsAtOnce: Int64 = 100

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var hasReleased = false
            var round = 0
            while !Task.isCancelled {
                // Again and again while one of them finishes its transfers.
                if !hasReleased { hasReleased = await release() }
                await deleteQueued()
                await sessions.dropEnded()
                if round % Self.roundsBetweenSweeps == 0 { await sweep() }
                round += 1
                // Cancelled at shutdown: the loop ends.
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    private func release() async -> Bool {
        do throws(RegistryError) {
            return try await earlier.release()
        } catch {
            logger.warning("What earlier processes held could not be given up yet", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func deleteQueued() async {
        let stores =
            (catalogue.isMultiStore ? catalogue.entries.map(\.identifier) : [""])
            + (catalogue.staging.map { [$0.recordedStore] } ?? [])
        do throws(RegistryError) {
            while !Task.isCancelled {
                let claimed = try await registry.call(
                    ClaimDeletions(DeletionClaim(holder: holder, stores: stores, limit: Self.deletionsAtOnce)),
                    as: .service,
                    requestID: "deletions"
                ).deletions
                guard !claimed.isEmpty else { return }
                let outcome = await data.remove(claimed)
                await data.report(outcome, requestID: "deletions")
                logger.info(
                    "Queued deletions were carried out",
                    metadata: ["removed": "\(outcome.removed.count)", "postponed": "\(outcome.postponed.count)"]
                )
            }
        } catch {
            logger.warning("Queued deletions could not be fetched", metadata: ["error": "\(error)"])
        }
    }

    private func sweep() async {
        for store in catalogue.entries.map(\.store) + (catalogue.staging.map { [$0.store] } ?? []) {
            do {
                // Listed before the registry is asked: whatever is found here had begun before.
                let found = try await store.leftovers()
                for batch in stride(from: 0, to: found.count, by: 500).map({
                    Array(found[$0..<min($0 + 500, found.count)])
                }) {
                    try await settle(batch, in: store)
                }
            } catch {
                logger.warning(
                    "A store's temporary names could not be looked through",
                    metadata: ["store": "\(store.identifier)", "error": "\(error)"]
                )
            }
        }
    }

    private func settle(_ found: [IntendedLocation], in store: any Store) async throws {
        let states = try await registry.call(
            CheckAttempts(attempts: found.map(\.attempt)),
            as: .service,
            requestID: "sweep"
        )
        let finished = Set(states.finished)
        let pending = Set(states.pending)
        for location in found where !pending.contains(location.attempt) {
            if finished.contains(location.attempt) {
                try await store.confirm(location)
            } else {
                try await store.discard(location)
            }
        }
    }
}
