internal import CoreMetrics
public import ImageModel
public import Logging
public import RegistryContract
public import StoreLayer

/// Reads the data of images again and compares it with what was recorded when it was stored. What differs is marked in the
/// registry, until it is found sound again.
///
/// The registry remembers when each copy was verified, so that whoever goes on, goes on with the one whose turn is the
/// longest ago, and no two verifiers read the same.
public struct Verification: Sendable {
    private let registry: any RegistryClient
    private let stores: [String]
    private let holder: Holder
    private let pace: Pace
    private let reading: CopyReading
    private let logger: Logger

    /// After so many copies in a row that could not be read, their store is left alone for the round.
    static let patience = 3

    /// What a round came to, in copies.
    public struct Summary: Sendable, Equatable {
        public var sound = 0
        public var damaged = 0
        public var unread = 0

        public init() {}
    }

    /// - Parameters:
    ///   - stores: Whose data is read, as locations name them; `""` stands for the store of single-store mode.
    ///   - threads: Where digests are computed.
    public init(
        registry: any RegistryClient,
        catalogue: StoreCatalogue,
        stores: [String],
        holder: Holder,
        pace: Pace,
        threads: WorkerThreads,
        logger: Logger
    ) {
        self.registry = registry
        self.stores = stores
        self.holder = holder
        self.pace = pace
        self.reading = CopyReading(catalogue: catalogue, threads: threads, logger: logger)
        self.logger = logger
    }

    /// Verifies what was not verified since a moment.
    ///
    /// - Parameter image: Only this one's, whenever it was verified.
    /// - Throws: what the registry answers when it cannot be asked.
    public func round(before moment: Timestamp, image: ImageID? = nil) async throws -> Summary {
        var summary = Summary()
        for store in stores { try await verify(store, before: moment, image: image, &summary) }
        let total = try await registry.call(ListDamage(limit: 0), as: .service, requestID: "verify").total
        Gauge(label: "verifier_damaged_copies").record(total)
        Counter(label: "verifier_rounds").increment()
        logger.info(
            "A round of verification has ended",
            metadata: [
                "sound": "\(summary.sound)", "damaged": "\(summary.damaged)", "unread": "\(summary.unread)",
                "marked": "\(total)",
            ]
        )
        return summary
    }

    private func verify(
        _ store: String,
        before moment: Timestamp,
        image: ImageID?,
        _ summary: inout Summary
    ) async throws {
        var failures = 0
        var last: Int64 = 0
        while !Task.isCancelled, failures < Self.patience {
            let claim = ClaimVerification(holder: holder, store: store, before: moment, image: image, after: last)
            let next = try await registry.call(claim, as: .service, requestID: "verify")
            guard let copy = next.copy else { return }
            last = copy.id
            let lease = CopyLease(registry: registry, holder: holder, copy: copy.id, seconds: next.leaseSeconds)
            guard let result = try await result(of: copy, lease), try await record(result, of: copy) else { continue }
            failures = result == .unread ? failures + 1 : 0
            switch result {
            case .sound: summary.sound += 1
            case .digest, .size, .missing: summary.damaged += 1
            case .unread: summary.unread += 1
            }
            Counter(label: "verifier_copies", dimensions: [("result", result.rawValue)]).increment()
        }
        guard failures >= Self.patience else { return }
        logger.warning("A store gives no data and is left alone for now", metadata: ["store": "\(store)"])
    }

    /// - Returns: `nil` when the copy is somebody else's now, or the verifier is to stop.
    private func result(of copy: StoredCopy, _ lease: CopyLease) async throws -> VerificationResult? {
        let bytes = Counter(label: "verifier_bytes")
        do {
            return try await reading.result(of: copy) { byteCount in
                try await pace.pass(byteCount)
                bytes.increment(by: byteCount)
                try await lease.keep()
                // Whatever the pace, a verifier that is to stop does so within a chunk.
                try Task.checkCancellation()
            }
        } catch is CancellationError {
            return nil
        }
    }

    /// - Returns: whether the copy still is an image's, and this verifier's.
    private func record(_ result: VerificationResult, of copy: StoredCopy) async throws(RegistryError) -> Bool {
        let record = RecordVerification(holder: holder, id: copy.id, result: result)
        guard try await registry.call(record, as: .service, requestID: "verify").isCurrent else { return false }
        guard result.isDamage else { return true }
        logger.error(
            "Data is damaged: it is not what was stored",
            metadata: reading.metadata(of: copy).merging(["damage": "\(result.rawValue)"]) { $1 }
        )
        return true
    }
}
