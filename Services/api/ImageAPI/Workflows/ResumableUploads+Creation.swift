internal import Digests
internal import ImageModel
internal import Policy
internal import RegistryContract
internal import ServiceKit
internal import StoreLayer

/// How sessions and their parts come to be.
extension ResumableUploads {
    /// What a client says of data that it is going to send.
    struct Announcement: Sendable {
        /// Of the whole, or of a part.
        var byteCount: Int64
        var isPart: Bool
        var store: String?
        var metadata: String?
        var digests: ExpectedDigests
    }

    /// A session that was made.
    struct Creation: Sendable {
        var name: UploadName
        var expiresAt: Timestamp
    }

    /// - Parameter id: Read only after what the request says of itself has been looked at.
    func create(
        _ id: @autoclosure () throws(ServiceError) -> ImageID,
        _ announcement: Announcement,
        as caller: Caller,
        requestID: String
    ) async throws -> Creation {
        try policy.requireWritable(caller)
        let id = try id()
        let image = try await registry.image(id, as: caller, requestID: requestID)
        try policy.require(.uploadImage, on: image, by: caller)
        guard announcement.byteCount <= sizeCap else {
            throw ServiceError(.limitExceeded, "The incoming image is too large")
        }
        if announcement.isPart, image.status == .saving {
            return try await extend(image, announcement, as: caller, requestID: requestID)
        }
        guard image.status == .queued else { throw Self.refusal(from: image.status) }
        try image.requireFormats()
        do {
            let limits = try await quotas.limits(of: image.owner, for: .upload)
            return try await begin(id, announcement, within: limits, as: caller, requestID: requestID)
        } catch let error as ServiceError {
            guard (error.cause as? RegistryError)?.code == .wrongState, announcement.isPart else { throw error }
            // Another part came first.
            return try await extend(image, announcement, as: caller, requestID: requestID)
        }
    }

    private static func refusal(from status: ImageStatus) -> ServiceError {
        ServiceError(.conflict, "Image status transition from \(status.rawValue) to saving is not allowed")
    }

    private func extend(
        _ image: Image,
        _ announcement: Announcement,
        as caller: Caller,
        requestID: String
    ) async throws -> Creation {
        let limits = try await quotas.limits(of: image.owner, for: .upload)
        let session = try await registry.ask(
            ExtendSession(
                image: image.id,
                holder: holder,
                byteCount: announcement.byteCount,
                limit: sizeCap,
                limits: limits,
                digests: announcement.digests.recorded
            ),
            as: caller,
            requestID: requestID
        )
        return Creation(
            name: UploadName(attempt: session.attempt, part: session.parts.count - 1),
            expiresAt: session.lease.expiresAt
        )
    }

    private func begin(
        _ id: ImageID,
        _ announcement: Announcement,
        within limits: UsageLimits,
        as caller: Caller,
        requestID: String
    ) async throws -> Creation {
        let store = try target(announcement.store)
        let terms = UploadSessionTerms(
            isParallel: announcement.isPart,
            metadata: announcement.metadata,
            digests: announcement.digests.recorded
        )
        let claimed = try await attempts.claim(
            id,
            in: store,
            size: announcement.isPart ? nil : announcement.byteCount,
            requestID: requestID
        ) { location throws(ServiceError) in
            let upload = BeginUpload(
                image: id,
                attempt: location.attempt,
                holder: holder,
                store: catalogue.isMultiStore ? store.identifier : nil,
                url: location.url,
                metadata: store.metadata(of: location.url),
                size: announcement.byteCount,
                limits: limits
            )
            return try await registry.ask(
                BeginSession(upload: upload, terms: terms, byteCount: announcement.byteCount),
                as: caller,
                requestID: requestID
            )
        }
        let location = claimed.location
        do {
            _ = try await live.upload(location.attempt) {
                liveUpload(
                    id,
                    location,
                    store,
                    try await store.beginPartial(location, size: announcement.isPart ? nil : announcement.byteCount),
                    received: ByteRanges(),
                    expected: announcement.digests,
                    lease: LiveUpload.Lease(
                        requestedAt: claimed.requestedAt,
                        duration: .seconds(claimed.claim.leaseSeconds)
                    )
                )
            }
        } catch {
            await attempts.undo(store, location, as: caller, requestID: requestID)
            throw (error as? StoreError).map { ServiceError($0) } ?? error
        }
        return Creation(
            name: UploadName(attempt: location.attempt, part: announcement.isPart ? 0 : nil),
            expiresAt: Timestamp.now.advanced(by: .seconds(claimed.claim.leaseSeconds))
        )
    }

    private func target(_ identifier: String?) throws(ServiceError) -> any ResumableStore {
        let store = try catalogue.target(identifier)
        guard let store = store as? any ResumableStore else {
            throw ServiceError(
                .invalidRequest,
                "The store takes no data in several requests: send it with PUT /v2/images/{id}/file."
            )
        }
        return store
    }
}
