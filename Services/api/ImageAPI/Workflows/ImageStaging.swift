internal import ImageModel
internal import Policy
internal import RegistryContract
internal import StoreLayer

/// Puts a client's data into this node's staging directory, where it waits to be imported: `queued → uploading`. The bytes
/// are as accounted for as those of an upload, and go with the image.
struct ImageStaging: Sendable {
    let registry: any RegistryClient
    let policy: ImagePolicy
    /// `nil` where this node has no place for it.
    let area: StagingArea?
    /// Whether `glance-direct` is enabled.
    let isEnabled: Bool
    /// The URL by which other nodes find this one.
    let nodeURL: String?
    let sizeCap: Int64
    let digesting: DigestingUpload
    let quotas: UsageQuotas
    let attempts: UploadAttempts
    let holder: Holder

    /// - Throws: `notFound` where the site does not offer it: nothing else of the request counts then.
    func requireEnabled() throws(ServiceError) {
        guard isEnabled else { throw ServiceError(.notFound, "'glance-direct' method is not available at this site.") }
    }

    /// - Parameter digests: What the client says of its data: only then is anything computed of it here.
    func run(
        _ id: ImageID,
        size: Int64?,
        digests: ExpectedDigests,
        body: some ChunkSequence,
        as caller: Caller,
        requestID: String
    ) async throws {
        try policy.requireWritable(caller)
        let image = try await registry.image(id, as: caller, requestID: requestID)
        try policy.require(.modifyImage, on: image, by: caller)
        guard image.status == .queued else { throw Self.refusal(from: image.status) }
        if let size, size > sizeCap { throw ServiceError(.limitExceeded, "The incoming image is too large") }
        guard let area else {
            throw ServiceError(.unavailable, "The staging directory is not usable; try again later.")
        }
        let limits = try await quotas.limits(of: image.owner, for: .staging)
        do {
            try await stage(
                id,
                within: limits,
                in: area,
                size: size,
                digests: digests,
                body: body,
                as: caller,
                requestID: requestID
            )
        } catch let error as ServiceError {
            guard (error.cause as? StoreError)?.code == .alreadyExists else { throw error }
            throw ServiceError(.conflict, "The image \(id) has data on staging", cause: error.cause)
        }
    }

    private func stage(
        _ id: ImageID,
        within limits: UsageLimits,
        in area: StagingArea,
        size: Int64?,
        digests: ExpectedDigests,
        body: some ChunkSequence,
        as caller: Caller,
        requestID: String
    ) async throws {
        try await attempts.run(id, in: area.store, size: size, requestID: requestID, as: caller) {
            location throws(ServiceError) in
            let staging = BeginStaging(
                image: id,
                attempt: location.attempt,
                holder: holder,
                store: area.recordedStore,
                url: location.url,
                size: size,
                limits: limits
            )
            return try await begin(staging, as: caller, requestID: requestID)
        } move: { location, lease in
            guard digests.isEmpty else {
                return try await digesting.run(
                    body,
                    to: area.store,
                    at: location,
                    size: size,
                    limit: sizeCap,
                    expected: digests,
                    mayStillPublish: { lease.isHeld },
                    admit: { _ in try lease.requireHeld() }
                ).stored
            }
            // Digests are computed when the data is imported: until then nobody reads it.
            let sized = SizedChunks(body, size: size, limit: sizeCap)
            let chunks = LeasedChunks(base: BatchedChunks(sized, within: digesting.budget), lease: lease)
            return try await digesting.budget.sharing {
                try await area.store.write(location, size: size, body: chunks, mayStillPublish: { lease.isHeld })
            }
        } finish: { location, stored in
            FinishStaging(
                attempt: location.attempt,
                size: stored.byteCount,
                identity: stored.identity,
                host: nodeURL
            )
        }
    }

    private func begin(
        _ staging: BeginStaging,
        as caller: Caller,
        requestID: String
    ) async throws(ServiceError) -> UploadClaim {
        do {
            return try await registry.call(staging, as: caller, requestID: requestID)
        } catch {
            // It was queued when it was read; whoever came first, this is no time to stage.
            if error.code == .wrongState { throw ServiceError(.conflict, error.message, cause: error) }
            throw ServiceError(error)
        }
    }

    private static func refusal(from status: ImageStatus) -> ServiceError {
        ServiceError(.conflict, "Image status transition from \(status.rawValue) to uploading is not allowed")
    }
}

/// Chunks that end with an error once their attempt has lost its lease.
private struct LeasedChunks<Base: ChunkSequence>: AsyncSequence, Sendable {
    typealias Failure = any Error

    let base: Base
    let lease: UploadLease

    func makeAsyncIterator() -> Iterator { Iterator(base: base.makeAsyncIterator(), lease: lease) }

    struct Iterator: AsyncIteratorProtocol {
        var base: Base.AsyncIterator
        let lease: UploadLease

        mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Chunk? {
            guard let chunk = try await base.next(isolation: actor) else { return nil }
            try lease.requireHeld()
            return chunk
        }
    }
}
