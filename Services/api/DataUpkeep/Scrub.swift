internal import CoreMetrics
internal import ImageModel
public import Logging
public import RegistryContract
internal import StoreLayer

/// Removes the data whose deletion is queued and whose time has come, as a scrubber does.
///
/// A round asks for each queued deletion once, in the order of their numbers and a batch at a time. What a store cannot do
/// stays queued for the next round. Any number of scrubbers may work at once, and one that dies loses nothing: what it had
/// taken is anybody's again after a minute.
public struct Scrub: Sendable {
    private let registry: any RegistryClient
    private let data: DataDeletion
    private let stores: Set<String>
    private let holder: Holder
    private let poolSize: Int
    private let batchCount: Int64
    private let logger: Logger

    /// What a round came to, in deletions.
    public struct Summary: Sendable, Equatable {
        public var removed = 0
        public var postponed = 0

        public init(removed: Int = 0, postponed: Int = 0) {
            self.removed = removed
            self.postponed = postponed
        }
    }

    /// - Parameters:
    ///   - stores: Where data is removed, as locations name it; `""` stands for the store of single-store mode.
    ///   - poolSize: How many images' data is removed at once (`scrub_pool_size`).
    ///   - batchCount: How many deletions are taken at once.
    public init(
        registry: any RegistryClient,
        data: DataDeletion,
        stores: [String],
        holder: Holder,
        poolSize: Int,
        batchCount: Int64 = 100,
        logger: Logger
    ) {
        self.registry = registry
        self.data = data
        self.stores = Set(stores)
        self.holder = holder
        self.poolSize = max(1, poolSize)
        self.batchCount = batchCount
        self.logger = logger
    }

    /// - Throws: what the registry answers when the queue cannot be read.
    public func round() async throws(RegistryError) -> Summary {
        var summary = Summary()
        var outages: Set<String> = []
        var last: Int64? = 0
        while let after = last, !Task.isCancelled {
            let claim = DeletionClaim(holder: holder, stores: stores.subtracting(outages).sorted(), limit: batchCount)
            let batch = try await registry.call(ClaimScrubs(claim, after: after), as: .service, requestID: "scrub")
            last = batch.last
            let outcome = await remove(batch.deletions, &outages)
            summary.removed += outcome.removed
            summary.postponed += outcome.postponed
        }
        count(summary)
        logger.info(
            "A round of scrubbing has ended",
            metadata: ["removed": "\(summary.removed)", "postponed": "\(summary.postponed)"]
        )
        return summary
    }

    /// The deletions of each image one after another, so many images at once.
    private func remove(_ deletions: [PendingDeletion], _ outages: inout Set<String>) async -> Summary {
        var images = Dictionary(grouping: deletions, by: \.image).values.sorted { $0[0].id < $1[0].id }[...]
        var summary = Summary()
        await withTaskGroup(of: DataDeletion.Outcome.self) { group in
            var running = 0
            while !images.isEmpty || running > 0 {
                if running < poolSize, !Task.isCancelled, let next = images.popFirst() {
                    // A store that does not answer is not waited for again and again.
                    let isOut = next.contains { outages.contains($0.store ?? "") }
                    group.addTask { isOut ? await postpone(next) : await remove(next) }
                    running += 1
                } else if let outcome = await group.next() {
                    running -= 1
                    summary.removed += outcome.removed.count
                    summary.postponed += outcome.postponed.count
                    outages.formUnion(outcome.outages)
                } else {
                    // Cancelled: what is left stays taken until its time is over.
                    return
                }
            }
        }
        return summary
    }

    private func remove(_ deletions: [PendingDeletion]) async -> DataDeletion.Outcome {
        let outcome = await data.remove(deletions)
        if let refusal = outcome.refusal {
            logger.warning(
                "A store refused to delete data, which stays queued",
                metadata: ["image.id": "\(deletions[0].image)", "error": "\(refusal.message)"]
            )
        }
        await data.report(outcome, requestID: "scrub")
        return outcome
    }

    private func postpone(_ deletions: [PendingDeletion]) async -> DataDeletion.Outcome {
        var outcome = DataDeletion.Outcome()
        outcome.postponed = deletions.map(\.id)
        await data.report(outcome, requestID: "scrub")
        return outcome
    }

    private func count(_ summary: Summary) {
        Counter(label: "scrubber_deletions", dimensions: [("outcome", "removed")]).increment(by: summary.removed)
        Counter(label: "scrubber_deletions", dimensions: [("outcome", "postponed")]).increment(by: summary.postponed)
        Counter(label: "scrubber_rounds").increment()
    }
}
