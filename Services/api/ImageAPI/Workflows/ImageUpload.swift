internal import Digests
internal import ImageModel
internal import Policy
internal import RegistryContract
internal import StoreLayer

/// Moves an image's data from a client into a store: read, claim, move, record. Three exchanges, and one for every renewal
/// of the lease while the bytes flow.
struct ImageUpload: Sendable {
    let registry: any RegistryClient
    let policy: ImagePolicy
    let catalogue: StoreCatalogue
    let digesting: DigestingUpload
    let hashAlgorithm: DigestAlgorithm
    let sizeCap: Int64
    let inspection: ContentInspection
    let quotas: UsageQuotas
    let attempts: UploadAttempts
    let holder: Holder

    /// What the client said about the data it sends.
    struct Declaration: Sendable {
        var size: Int64?
        var store: String?
        var digests = ExpectedDigests()
    }

    /// - Parameter id: Read only after what the request says of itself has been looked at.
    func run(
        _ id: @autoclosure () throws(ServiceError) -> ImageID,
        _ declaration: Declaration,
        body: some ChunkSequence,
        as caller: Caller,
        requestID: String
    ) async throws {
        try policy.requireWritable(caller)
        let store = try catalogue.target(declaration.store)
        let id = try id()
        let image = try await registry.image(id, as: caller, requestID: requestID)
        try policy.require(.uploadImage, on: image, by: caller)
        try requireReady(image, declaration)
        let limits = try await quotas.limits(of: image.owner, for: .upload)
        try await attempts.run(id, in: store, size: declaration.size, requestID: requestID, as: caller) {
            location throws(ServiceError) in
            let upload = BeginUpload(
                image: id,
                attempt: location.attempt,
                holder: holder,
                store: catalogue.isMultiStore ? store.identifier : nil,
                url: location.url,
                metadata: store.metadata(of: location.url),
                size: declaration.size,
                limits: limits
            )
            return try await begin(upload, as: caller, requestID: requestID)
        } move: { location, lease in
            let takesRoom = declaration.size == nil && limits.storageQuota != nil
            let room =
                takesRoom
                ? StorageReservation(registry: registry, attempt: location.attempt, requestID: requestID) : nil
            return try await digesting.run(
                body,
                to: store,
                at: location,
                size: declaration.size,
                limit: sizeCap,
                expected: declaration.digests,
                mayStillPublish: { lease.isHeld },
                accept: inspection.rule(for: image),
                admit: { byteCount in
                    try lease.requireHeld()
                    try await room?.admit(byteCount)
                }
            )
        } finish: { location, uploaded in
            FinishUpload(
                attempt: location.attempt,
                size: uploaded.stored.byteCount,
                checksum: uploaded.checksum.description,
                hashAlgorithm: hashAlgorithm.rawValue,
                hashValue: uploaded.multihash.description,
                identity: uploaded.stored.identity,
                virtualSize: uploaded.virtualSize,
                diskFormat: image.diskFormat
            )
        }
    }

    private func requireReady(_ image: Image, _ declaration: Declaration) throws(ServiceError) {
        guard image.status == .queued else {
            throw ServiceError(
                .conflict,
                "Image status transition from \(image.status.rawValue) to saving is not allowed"
            )
        }
        try image.requireFormats()
        if let size = declaration.size, size > sizeCap {
            throw ServiceError(.limitExceeded, "The incoming image is too large")
        }
    }

    private func begin(
        _ upload: BeginUpload,
        as caller: Caller,
        requestID: String
    ) async throws(ServiceError) -> UploadClaim {
        do {
            return try await registry.call(upload, as: caller, requestID: requestID)
        } catch {
            // It was queued when it was read: another upload came first (Image API v2, "Upload", answers 410).
            guard error.code == .wrongState || error.code == .notFound else { throw ServiceError(error) }
            throw ServiceError(
                .gone,
                "Image \(upload.image) could not be found after upload. The image may have been deleted, or another upload of "
                    + "it may be under way.",
                cause: error
            )
        }
    }
}

extension StoreCatalogue {
    /// The store that an upload goes to, with a client's mistake told in the words of the domain.
    func target(_ identifier: String?) throws(ServiceError) -> any Store {
        do {
            return try uploadTarget(identifier)
        } catch {
            throw ServiceError(error.code == .invalidLocation ? .invalidRequest : .gone, error.message, cause: error)
        }
    }
}
