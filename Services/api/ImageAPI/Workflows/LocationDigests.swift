internal import DataUpkeep
internal import Digests
internal import ImageModel
internal import Logging
internal import RegistryContract
internal import ServiceLifecycle
internal import StoreLayer
internal import Synchronization

/// Reads data at added locations in the background, for its digests: few at a time, and only so many that wait.
///
/// Where the client expects a digest, the image is `importing` and a lease is held until the two were compared; a process
/// that dies leaves a lease that ends, and the image is `queued`. Otherwise the image is active already, and only its
/// digests are missing until they are recorded.
final class LocationDigests: Service {
    static let atOnce = 2
    static let limit = 64

    /// Data to be read.
    struct Source: Sendable {
        var image: ImageID
        var url: String
        var store: any Store
        var data: ExternalData
    }

    /// The right to wait in line.
    final class Place: Sendable {
        private let isTaken = Atomic<Bool>(true)
        private let line: LocationDigests

        fileprivate init(_ line: LocationDigests) { self.line = line }

        deinit { release() }

        /// Idempotent.
        func release() {
            if isTaken.exchange(false, ordering: .relaxed) { line.places.subtract(1, ordering: .relaxed) }
        }
    }

    private struct Job: Sendable {
        var source: Source
        var algorithm: DigestAlgorithm
        /// What the client expects, and the attempt that waits for it.
        var expectation: (value: String, lease: UploadLease)?
        var place: Place
    }

    private let registry: any RegistryClient
    private let leases: UploadLeases
    private let threads: WorkerThreads
    private let tries: Int
    private let logger: Logger
    private let places = Atomic<Int>(0)
    private let jobs: AsyncStream<Job>
    private let line: AsyncStream<Job>.Continuation

    init(registry: any RegistryClient, leases: UploadLeases, threads: WorkerThreads, tries: Int, logger: Logger) {
        self.registry = registry
        self.leases = leases
        self.threads = threads
        self.tries = max(1, tries)
        self.logger = logger
        (jobs, line) = AsyncStream.makeStream(of: Job.self, bufferingPolicy: .bufferingOldest(Self.limit))
    }

    /// - Throws: ``ServiceError`` (`unavailable`) while too many wait.
    func reserve() throws(ServiceError) -> Place {
        guard places.add(1, ordering: .relaxed).newValue <= Self.limit else {
            places.subtract(1, ordering: .relaxed)
            throw ServiceError(.unavailable, "Too many locations are being read; try again later.")
        }
        return Place(self)
    }

    /// Ends the attempt: the image becomes active where the data has the digest, and `queued` where it has not.
    func compare(_ source: Source, with expected: LocationRequest.ExpectedDigest, lease: UploadLease, in place: Place) {
        guard let algorithm = DigestAlgorithm(rawValue: expected.algorithm) else {
            preconditionFailure("the request was judged")
        }
        line.yield(Job(source: source, algorithm: algorithm, expectation: (expected.value, lease), place: place))
    }

    /// Fills in the digests of an image that is active.
    func compute(_ source: Source, _ algorithm: DigestAlgorithm, in place: Place) {
        line.yield(Job(source: source, algorithm: algorithm, expectation: nil, place: place))
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                var running = 0
                for await job in self.jobs {
                    if running == Self.atOnce {
                        await group.next()
                        running -= 1
                    }
                    group.addTask { await self.carryOut(job) }
                    running += 1
                }
            }
        }
    }

    private func carryOut(_ job: Job) async {
        defer { job.place.release() }
        let digests = await read(job)
        guard let (value, lease) = job.expectation else {
            if let digests { await record(digests, of: job) }
            return
        }
        defer { leases.remove(lease) }
        if let digests, digests.multihash.description == value.lowercased() {
            await finish(job, lease, digests)
        } else {
            if digests != nil { log(job, "The data has not the digest that was expected") }
            await giveUp(job, lease, keepsLocation: digests != nil)
        }
    }

    private func read(_ job: Job) async -> DataDigests? {
        for number in 1...tries {
            do {
                let blob = try await job.source.store.open(job.source.url, range: nil)
                defer { blob.close() }
                guard blob.totalByteCount == job.source.data.byteCount else {
                    throw StoreError(.sizeMismatch, "The data has another length than before")
                }
                let lease = job.expectation?.lease
                return try await DataDigests.of(blob, multihash: job.algorithm, on: threads) {
                    guard lease?.isHeld != false else { throw CancellationError() }
                }
            } catch is CancellationError {
                return nil
            } catch {
                log(job, "Data at a location could not be read", error)
                // Cancelled at shutdown: the next try ends at once.
                if number < tries { try? await Task.sleep(for: .seconds(number)) }
            }
        }
        return nil
    }

    private func record(_ digests: DataDigests, of job: Job) async {
        do throws(RegistryError) {
            _ = try await registry.call(
                RecordDigests(
                    image: job.source.image,
                    url: job.source.url,
                    checksum: digests.checksum.description,
                    hashAlgorithm: job.algorithm.rawValue,
                    hashValue: digests.multihash.description
                ),
                as: .service,
                requestID: "digests"
            )
        } catch {
            log(job, "Digests could not be recorded", error)
        }
    }

    private func finish(_ job: Job, _ lease: UploadLease, _ digests: DataDigests) async {
        do throws(RegistryError) {
            _ = try await registry.call(
                FinishUpload(
                    attempt: lease.attempt,
                    size: job.source.data.byteCount,
                    checksum: digests.checksum.description,
                    hashAlgorithm: job.algorithm.rawValue,
                    hashValue: digests.multihash.description,
                    identity: nil
                ),
                as: .service,
                requestID: "digests"
            )
        } catch {
            // The image was deleted meanwhile, or the lease's end gives it back.
            log(job, "A location could not be recorded", error)
        }
    }

    /// To its end, also when the service stops. What fails here the lease's end repairs.
    private func giveUp(_ job: Job, _ lease: UploadLease, keepsLocation: Bool) async {
        await Task {
            do throws(RegistryError) {
                let abort = AbortUpload(attempt: lease.attempt, isDiscarded: true, keepsLocation: keepsLocation)
                _ = try await registry.call(abort, as: .service, requestID: "digests")
            } catch {
                log(job, "An image could not be given back; its lease will end", error)
            }
        }.value
    }

    private func log(_ job: Job, _ message: Logger.Message, _ error: (any Error)? = nil) {
        var metadata: Logger.Metadata = ["image.id": "\(job.source.image)"]
        if let error { metadata["error"] = "\(error)" }
        logger.warning(message, metadata: metadata)
    }
}
