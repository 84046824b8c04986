internal import Digests
internal import ImageModel
internal import Logging
internal import Policy
internal import RegistryContract
internal import ServiceKit
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
    let leases: UploadLeases
    let data: DataDeletion
    let holder: Holder
    let logger: Logger

    /// What the client said about the data it sends.
    struct Declaration: Sendable {
        var size: Int64?
        var store: String?
    }

    func run(
        _ id: ImageID,
        _ declaration: Declaration,
        body: some ChunkSequence,
        as caller: Caller,
        requestID: String
    ) async throws {
        try policy.requireWritable(caller)
        let store = try target(declaration.store)
        let image = try await registry.image(id, as: caller, requestID: requestID)
        try policy.require(.uploadImage, on: image, by: caller)
        try requireReady(image, declaration)
        let (location, lease) = try await claim(image, in: store, declaration, as: caller, requestID: requestID)
        defer { leases.remove(lease) }
        let uploaded = try await move(
            body,
            to: store,
            at: location,
            declaration,
            lease,
            as: caller,
            requestID: requestID
        )
        try await record(uploaded, store, location, as: caller, requestID: requestID)
    }

    private func target(_ identifier: String?) throws(ServiceError) -> any Store {
        do {
            return try catalogue.uploadTarget(identifier)
        } catch {
            throw ServiceError(error.code == .invalidLocation ? .invalidRequest : .gone, error.message, cause: error)
        }
    }

    private func requireReady(_ image: Image, _ declaration: Declaration) throws(ServiceError) {
        guard image.status == .queued else {
            throw ServiceError(
                .conflict,
                "Image status transition from \(image.status.rawValue) to saving is not allowed"
            )
        }
        switch (image.diskFormat, image.containerFormat) {
        case (nil, nil):
            throw ServiceError(
                .invalidRequest,
                "Properties disk_format, container_format must be set prior to saving data."
            )
        case (nil, _): throw ServiceError(.invalidRequest, "Property disk_format must be set prior to saving data.")
        case (_, nil):
            throw ServiceError(.invalidRequest, "Property container_format must be set prior to saving data.")
        case (_?, _?): break
        }
        if let size = declaration.size, size > sizeCap {
            throw ServiceError(.limitExceeded, "The incoming image is too large")
        }
    }

    /// Claims the image; where bytes of an earlier attempt still lie in the way, removes those first.
    private func claim(
        _ image: Image,
        in store: any Store,
        _ declaration: Declaration,
        as caller: Caller,
        requestID: String
    ) async throws -> (IntendedLocation, UploadLease) {
        let location: IntendedLocation
        do throws(StoreError) {
            location = try await store.intend(image.id.text, attempt: makeUUID(), size: declaration.size)
        } catch {
            throw ServiceError(error)
        }
        for _ in 0..<4 {
            let requestedAt = ContinuousClock.now
            let claim = try await begin(image, at: location, in: store, as: caller, requestID: requestID)
            if claim.toSettle.isEmpty {
                let duration = Duration.seconds(claim.leaseSeconds)
                let lease = UploadLease(attempt: location.attempt, requestedAt: requestedAt, duration: duration)
                leases.add(lease)
                return (location, lease)
            }
            await data.report(await data.remove(claim.toSettle), requestID: requestID)
        }
        throw ServiceError(.unavailable, "Data of an earlier upload could not be removed yet; try again later.")
    }

    private func begin(
        _ image: Image,
        at location: IntendedLocation,
        in store: any Store,
        as caller: Caller,
        requestID: String
    ) async throws(ServiceError) -> UploadClaim {
        let claim = BeginUpload(
            image: image.id,
            attempt: location.attempt,
            holder: holder,
            store: catalogue.isMultiStore ? store.identifier : nil,
            url: location.url
        )
        do {
            return try await registry.call(claim, as: caller, requestID: requestID)
        } catch {
            // It was queued when it was read: another upload came first (Image API v2, "Upload", answers 410).
            guard error.code == .wrongState || error.code == .notFound else { throw ServiceError(error) }
            throw ServiceError(
                .gone,
                "Image \(image.id) could not be found after upload. The image may have been deleted, or another upload of "
                    + "it may be under way.",
                cause: error
            )
        }
    }

    private func move(
        _ body: some ChunkSequence,
        to store: any Store,
        at location: IntendedLocation,
        _ declaration: Declaration,
        _ lease: UploadLease,
        as caller: Caller,
        requestID: String
    ) async throws -> UploadedData {
        do {
            return try await digesting.run(
                body,
                to: store,
                at: location,
                size: declaration.size,
                limit: sizeCap,
                mayStillPublish: { lease.isHeld },
                admit: { _ in
                    guard lease.isHeld else { throw Self.superseded }
                }
            )
        } catch {
            await undo(store, location, as: caller, requestID: requestID)
            throw (error as? StoreError).map { ServiceError($0) } ?? error
        }
    }

    private static let superseded = StoreError(
        .superseded,
        "The image may have been deleted during the upload, cleaning up the chunks uploaded."
    )

    /// Takes an attempt back, to its end even when the request was cancelled. What fails here the lease's end repairs.
    private func undo(_ store: any Store, _ location: IntendedLocation, as caller: Caller, requestID: String) async {
        await Task {
            let isDiscarded = await discard(location, in: store)
            await abort(location.attempt, isDiscarded: isDiscarded, as: caller, requestID: requestID)
        }.value
    }

    private func discard(_ location: IntendedLocation, in store: any Store) async -> Bool {
        do throws(StoreError) {
            try await store.discard(location)
            return true
        } catch {
            logger.warning("An upload's data could not be removed and is queued", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func abort(_ attempt: String, isDiscarded: Bool, as caller: Caller, requestID: String) async {
        do throws(RegistryError) {
            let abort = AbortUpload(attempt: attempt, isDiscarded: isDiscarded)
            _ = try await registry.call(abort, as: caller, requestID: requestID)
        } catch {
            logger.warning("An upload could not be given back; its lease will end", metadata: ["error": "\(error)"])
        }
    }

    private func record(
        _ uploaded: UploadedData,
        _ store: any Store,
        _ location: IntendedLocation,
        as caller: Caller,
        requestID: String
    ) async throws {
        do throws(RegistryError) {
            _ = try await registry.call(
                FinishUpload(
                    attempt: location.attempt,
                    size: uploaded.stored.byteCount,
                    checksum: uploaded.checksum.description,
                    hashAlgorithm: hashAlgorithm.rawValue,
                    hashValue: uploaded.multihash.description,
                    identity: uploaded.stored.identity
                ),
                as: caller,
                requestID: requestID
            )
        } catch {
            // Only where the registry says so the attempt is over. Without an answer nobody knows whether it was recorded:
            // the bytes stay, and the lease's end decides.
            if error.code == .leaseLost { await undo(store, location, as: caller, requestID: requestID) }
            throw ServiceError(error)
        }
        do throws(StoreError) {
            try await store.confirm(location)
        } catch {
            logger.warning("A temporary name is left for housekeeping", metadata: ["error": "\(error)"])
        }
    }
}

extension ServiceError {
    /// A store's failure while data was written (Image API v2, "Upload").
    init(_ error: StoreError) {
        let (code, message): (Code, String) =
            switch error.code {
            case .alreadyExists: (.conflict, "Unable to upload duplicate image data")
            case .sizeMismatch, .invalidLocation: (.invalidRequest, error.message)
            case .tooLarge: (.limitExceeded, error.message)
            case .full: (.limitExceeded, "Image storage media is full")
            case .writeDenied: (.unavailable, "Insufficient permissions on image storage media")
            case .addingDisabled: (.gone, "Adding images to store is disabled")
            case .superseded: (.gone, error.message)
            case .forbidden: (.forbidden, error.message)
            case .inUse: (.conflict, error.message)
            case .notFound: (.gone, "The image data vanished")
            case .unsupported: (.invalidRequest, error.message)
            case .unavailable, .timedOut: (.unavailable, "The image store does not answer; try again later.")
            case .failed:
                (.internalError, "The server has either erred or is incapable of performing the requested operation.")
            }
        self.init(code, message, cause: error)
    }
}
