internal import DataUpkeep
internal import Digests
internal import ImageModel
internal import Policy
internal import RegistryContract
internal import ServiceKit
internal import StoreLayer
internal import WireJSON

/// Shows where an image's data is, and records data that is somewhere already (Image API v2, "Locations API").
struct ImageLocations: Sendable {
    let registry: any RegistryClient
    let policy: ImagePolicy
    let external: ExternalLocations
    /// `nil` where nobody reads the data (`do_secure_hash = false`).
    let digests: LocationDigests?
    let leases: UploadLeases
    let hashAlgorithm: DigestAlgorithm
    let holder: Holder
    let quotas: UsageQuotas

    func show(_ id: ImageID, as caller: Caller, requestID: String) async throws -> Image {
        let image = try await registry.image(id, as: caller, requestID: requestID)
        try policy.require(.fetchImageLocation, on: image, by: caller)
        return image
    }

    /// Returns once the location is recorded: the image is active, or `importing` until its data has been compared with
    /// the digest that the client expects.
    func add(_ request: LocationRequest, to id: ImageID, as caller: Caller, requestID: String) async throws {
        try policy.requireWritable(caller)
        let image = try await registry.image(id, as: caller, requestID: requestID)
        try requireAllowed(request, to: image, by: caller)
        try request.requireDigest()
        try image.requireFormats()
        let found = try await find(request.url)
        let limits = try await quotas.limits(of: image.owner, for: .location)
        var location = ImageLocation(url: request.url)
        if let store = found.data.store { location.metadata["store"] = .string(store) }
        switch (digests, request.expected) {
        case (let digests?, let expected?):
            let place = try digests.reserve()
            let lease = try await begin(location, image, found.data, limits, place, requestID: requestID)
            digests.compare(
                LocationDigests.Source(image: id, url: request.url, store: found.store, data: found.data),
                with: expected,
                lease: lease,
                in: place
            )
        case (let digests?, nil):
            let place = try digests.reserve()
            try await record(location, image, found.data, limits, nil, place, requestID: requestID)
            digests.compute(
                LocationDigests.Source(image: id, url: request.url, store: found.store, data: found.data),
                hashAlgorithm,
                in: place
            )
        case (nil, let expected):
            try await record(location, image, found.data, limits, expected, nil, requestID: requestID)
        }
    }

    private func requireAllowed(
        _ request: LocationRequest,
        to image: Image,
        by caller: Caller
    ) throws(ServiceError) {
        guard image.status == .queued else {
            throw ServiceError(
                .conflict,
                "It's not allowed to add locations if image status is \(image.status.rawValue)."
            )
        }
        try policy.require(.addImageLocation, on: image, by: caller)
        let isService =
            caller.roles.contains("service") || caller.serviceRoles.contains { $0.lowercased() == "service" }
        guard isService || (request.url.hasPrefix("http") && external.readsWebServers) else {
            throw ServiceError(.forbidden, "http store must be enabled to use location API by normal user.")
        }
    }

    private func find(_ url: String) async throws(ServiceError) -> ExternalLocations.Found {
        do {
            return try await external.find(url)
        } catch {
            let message =
                error.code == .forbidden
                ? "URI for add location does not pass filtering: \(url.excerpt)" : "Invalid location"
            throw ServiceError(.invalidRequest, message, cause: error)
        }
    }

    /// `queued → active` in one write, which names the revision that was judged. Written in the service's own name: policy
    /// lets other services add to images that they do not own.
    private func record(
        _ location: ImageLocation,
        _ image: Image,
        _ data: ExternalData,
        _ limits: UsageLimits,
        _ expected: LocationRequest.ExpectedDigest?,
        _ place: LocationDigests.Place?,
        requestID: String
    ) async throws(ServiceError) {
        var image = image
        image.status = .active
        image.size = data.byteCount
        image.locations = [location]
        if let expected { (image.hashAlgorithm, image.hashValue) = (expected.algorithm, expected.value) }
        do {
            _ = try await registry.call(
                RelocateImage(image: image, holder: holder, limits: limits),
                as: .service,
                requestID: requestID
            )
        } catch {
            place?.release()
            throw Self.refusal(error)
        }
    }

    /// `queued → importing`, with a lease: should this process die, the image is `queued` again when the lease ends.
    private func begin(
        _ location: ImageLocation,
        _ image: Image,
        _ data: ExternalData,
        _ limits: UsageLimits,
        _ place: LocationDigests.Place,
        requestID: String
    ) async throws(ServiceError) -> UploadLease {
        let requestedAt = ContinuousClock.now
        let attempt = BeginUpload(
            image: image.id,
            attempt: makeUUID(),
            holder: holder,
            store: location.store,
            url: location.url,
            externalMetadata: location.metadata,
            size: data.byteCount,
            limits: limits
        )
        do {
            let claim = try await registry.call(attempt, as: .service, requestID: requestID)
            let duration = Duration.seconds(claim.leaseSeconds)
            let lease = UploadLease(attempt: attempt.attempt, requestedAt: requestedAt, duration: duration)
            leases.add(lease)
            return lease
        } catch {
            place.release()
            throw Self.refusal(error)
        }
    }

    private static func refusal(_ error: RegistryError) -> ServiceError {
        guard error.code == .changedMeanwhile || error.code == .wrongState else { return ServiceError(error) }
        return ServiceError(
            .conflict,
            "New operation on the image is not permitted as a prior operation is still in progress",
            cause: error
        )
    }
}
