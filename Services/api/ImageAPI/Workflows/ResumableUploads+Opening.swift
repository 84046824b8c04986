internal import DataUpkeep
internal import Digests
internal import ImageModel
internal import RegistryContract
internal import StoreLayer

/// The bytes of sessions, on the node that has them.
extension ResumableUploads {
    func open(_ session: UploadSessionRecord, requestID: String) async throws -> LiveUpload {
        let (store, location) = try place(of: session)
        do {
            return try await live.upload(session.attempt) {
                let data = try await Self.resume(location, in: store)
                // From here on nobody else brings bytes, so that what is recorded now is all that there is.
                let question = ShowSession(image: session.image.id, attempt: session.attempt)
                let requestedAt = ContinuousClock.now
                let now = try await registry.ask(question, as: .service, requestID: requestID)
                guard !now.isFinished else { throw ServiceError(.gone, "The upload has ended.") }
                return liveUpload(
                    session.image.id,
                    location,
                    store,
                    data,
                    received: ByteRanges(now.received),
                    expected: try ExpectedDigests(recorded: session.terms.digests),
                    lease: LiveUpload.Lease(
                        requestedAt: requestedAt,
                        duration: .seconds(now.lease.leaseSeconds)
                    )
                )
            }
        } catch let error as StoreError {
            switch error.code {
            case .inUse:
                throw ServiceError(.conflict, "Another process has this upload; try again later.", cause: error)
            case .notFound:
                throw ServiceError(.gone, "The data of this upload is gone: end it and begin anew.", cause: error)
            default: throw ServiceError(error)
            }
        }
    }

    /// Waits a moment for whoever is about to let go of the bytes: a session that was closed here to make room.
    private static func resume(
        _ location: IntendedLocation,
        in store: any ResumableStore
    ) async throws -> any PartialData {
        for _ in 0..<20 {
            do throws(StoreError) {
                return try await store.resumePartial(location)
            } catch {
                guard error.code == .inUse else { throw error }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try await store.resumePartial(location)
    }

    /// - Throws: `conflict` where another node has the bytes.
    func place(
        of session: UploadSessionRecord
    ) throws(ServiceError) -> (store: any ResumableStore, location: IntendedLocation) {
        let recorded = StoreLocation(url: session.url, store: session.store)
        guard session.node == holder.node, let store = catalogue.store(holding: recorded) as? any ResumableStore
        else {
            throw ServiceError(
                .conflict,
                "Another node of the service has the data of this upload: requests for it have to be sent there."
            )
        }
        return (store, IntendedLocation(url: session.url, object: session.image.id.text, attempt: session.attempt))
    }

    func liveUpload(
        _ id: ImageID,
        _ location: IntendedLocation,
        _ store: any ResumableStore,
        _ data: any PartialData,
        received: ByteRanges,
        expected: ExpectedDigests,
        lease: LiveUpload.Lease
    ) -> LiveUpload {
        LiveUpload(
            image: id,
            location: location,
            store: store,
            data: ResumableUpload(
                data,
                received: received,
                multihash: hashAlgorithm,
                expected: expected,
                threads: digestThreads,
                budget: budget,
                didReadBack: UploadEnding.countReadBack
            ),
            lease: lease,
            registry: registry,
            holder: holder
        )
    }
}
