internal import DataUpkeep
internal import Digests
internal import ImageModel
internal import Policy
internal import RegistryContract
internal import StoreLayer

/// Uploads that come in several requests, each of which finds out first what there is. A session belongs to the node that
/// has its bytes.
///
/// Exchanges with the registry: two to create one (read, begin), one more to extend it; one to look at it; two for a request
/// that brings bytes (show, record) and one more for every 64 MiB of it, and for every third of the lease that it takes; one
/// more to finish (finish), and for parts another one (record); two to end one (show, abort); one more (show) when a process
/// opens what another one began.
struct ResumableUploads: Sendable {
    let registry: any RegistryClient
    let policy: ImagePolicy
    let catalogue: StoreCatalogue
    let hashAlgorithm: DigestAlgorithm
    let digestThreads: WorkerThreads
    /// Shared with the uploads of one request.
    let budget: BatchBudget
    let sizeCap: Int64
    let quotas: UsageQuotas
    let attempts: UploadAttempts
    let ending: UploadEnding
    let live: LiveUploads
    let holder: Holder

    /// What there is of an upload.
    struct Progress: Sendable {
        var name: UploadName
        var offset: Int64
        var byteCount: Int64
        var session: UploadSessionRecord
    }

    // MARK: Looking

    /// What there is of an upload, durably. Where all of it came and its end was not recorded, that is done first.
    func show(_ id: ImageID, _ name: UploadName, as caller: Caller, requestID: String) async throws -> Progress {
        let session = try await session(id, name, as: caller, requestID: requestID)
        let range = try name.range(in: session)
        if session.isFinished { return progress(name, Int64(range.count), session) }
        do {
            let upload = try await open(session, requestID: requestID)
            try await upload.takeOver(name.part ?? 0)
            try await upload.recordNews(requestID: requestID)
            try await finishIfWhole(upload, session, as: caller, requestID: requestID)
            return progress(name, upload.data.received.prefixCount(of: range), session)
        } catch {
            return progress(name, Int64(range.count), try await finished(session, despite: error, requestID))
        }
    }

    /// The session as it is now, where another request finished it while this one failed for it.
    private func finished(
        _ session: UploadSessionRecord,
        despite error: any Error,
        _ requestID: String
    ) async throws -> UploadSessionRecord {
        guard let code = (error as? ServiceError)?.code, code == .gone || code == .conflict else { throw error }
        let question = ShowSession(image: session.image.id, attempt: session.attempt)
        // Where that cannot be told either, the first error is what counts.
        guard let now = try? await registry.ask(question, as: .service, requestID: requestID), now.isFinished else {
            throw error
        }
        live.remove(session.attempt)
        return now
    }

    private func progress(_ name: UploadName, _ offset: Int64, _ session: UploadSessionRecord) -> Progress {
        // It is the session's own range that was found before.
        let range = name.part.map { session.parts[$0] } ?? 0..<session.byteCount
        return Progress(name: name, offset: offset, byteCount: Int64(range.count), session: session)
    }

    /// - Throws: `notFound`, also for whoever may not upload the image.
    private func session(
        _ id: ImageID,
        _ name: UploadName,
        as caller: Caller,
        requestID: String
    ) async throws -> UploadSessionRecord {
        let session = try await registry.ask(
            ShowSession(image: id, attempt: name.attempt),
            as: caller,
            requestID: requestID
        )
        try policy.require(.uploadImage, on: session.image, by: caller)
        return session
    }

    // MARK: Bytes

    /// Takes bytes at an offset, and finishes the upload where these were the last.
    ///
    /// - Parameters:
    ///   - offset: Where the client says that it goes on.
    ///   - length: Of the body, where it was declared.
    ///   - digests: What the client expects of the whole, besides what it said before.
    func append(
        _ body: some ChunkSequence,
        to name: UploadName,
        of id: ImageID,
        at offset: Int64,
        length: Int64?,
        checksum: (algorithm: DigestAlgorithm, digest: Digest)?,
        digests: ExpectedDigests,
        as caller: Caller,
        requestID: String
    ) async throws -> (progress: Progress, expiresAt: Timestamp) {
        try policy.requireWritable(caller)
        let session = try await session(id, name, as: caller, requestID: requestID)
        let range = try name.range(in: session)
        guard !session.isFinished else {
            let progress = progress(name, Int64(range.count), session)
            try requireFits(offset, length, progress)
            try digests.requireCompared(with: session)
            return (progress, session.lease.expiresAt)
        }
        let part = name.part ?? 0
        let upload: LiveUpload
        do {
            upload = try await open(session, requestID: requestID)
            try await upload.takeOver(part)
            try await take(body, range, part, of: upload, checksum, requestID) { () throws(ServiceError) in
                try requireFits(offset, length, progress(name, upload.data.received.prefixCount(of: range), session))
            }
        } catch {
            let now = try await finished(session, despite: error, requestID)
            let progress = progress(name, Int64(range.count), now)
            try requireFits(offset, length, progress)
            try digests.requireCompared(with: now)
            return (progress, now.lease.expiresAt)
        }
        do {
            let lease = try await upload.record(declaring: digests, requestID: requestID)
            try await finishIfWhole(upload, session, adding: digests, as: caller, requestID: requestID)
            return (progress(name, upload.data.received.prefixCount(of: range), session), lease.expiresAt)
        } catch {
            if (error as? ServiceError)?.code == .gone { live.remove(session.attempt) }
            let now = try await finished(session, despite: error, requestID)
            try digests.requireCompared(with: now)
            return (progress(name, Int64(range.count), now), now.lease.expiresAt)
        }
    }

    /// - Parameter isInPlace: Asked once no other request brings bytes of the part.
    private func take(
        _ body: some ChunkSequence,
        _ range: Range<Int64>,
        _ part: Int,
        of upload: LiveUpload,
        _ checksum: (algorithm: DigestAlgorithm, digest: Digest)?,
        _ requestID: String,
        ifStill isInPlace: @escaping @Sendable () throws(ServiceError) -> Void
    ) async throws {
        do {
            try await upload.append(part) {
                try isInPlace()
                do {
                    let cameSince: @Sendable (ContinuousClock.Instant) -> Bool = { moment in
                        upload.data.lastArrival.map { $0 > moment } ?? false
                    }
                    try await upload.keepingAlive(requestID: requestID, whenever: cameSince) {
                        try await upload.data.append(body, to: range, checksum: checksum) {
                            try await upload.record(requestID: requestID)
                        }
                    }
                } catch {
                    // What came before is kept, and has to be known before another request takes over.
                    _ = try? await upload.record(requestID: requestID)
                    throw error
                }
            }
        } catch {
            if (error as? ServiceError)?.code == .gone { live.remove(upload.location.attempt) }
            throw Self.translated(error)
        }
    }

    private static func translated(_ error: any Error) -> any Error {
        guard let error = error as? StoreError else { return error }
        if error.code == .digestMismatch { return ServiceError(.checksumMismatch, error.message, cause: error) }
        return ServiceError(error)
    }

    private func requireFits(_ offset: Int64, _ length: Int64?, _ progress: Progress) throws(ServiceError) {
        guard offset == progress.offset else {
            throw ServiceError(.conflict, "Upload-Offset is \(offset), but \(progress.offset) bytes are there.")
        }
        if let length, length > progress.byteCount - offset {
            throw ServiceError(
                .limitExceeded,
                "The body has \(length) bytes, but the upload has only \(progress.byteCount - offset) left."
            )
        }
    }

    // MARK: Ends

    /// Puts the parts of a session together, all of them and in their order.
    func concatenate(
        _ names: [UploadName],
        of id: ImageID,
        digests: ExpectedDigests,
        as caller: Caller,
        requestID: String
    ) async throws -> Creation {
        try policy.requireWritable(caller)
        guard let first = names.first else { throw UploadName.absence }
        let session = try await session(id, first, as: caller, requestID: requestID)
        let whole = session.parts.indices.map { UploadName(attempt: session.attempt, part: $0) }
        guard session.terms.isParallel, names == whole else {
            throw ServiceError(
                .invalidRequest,
                "Upload-Concat must name all partial uploads of the image, in the order in which they were created."
            )
        }
        let creation = Creation(
            name: UploadName(attempt: session.attempt, part: nil),
            expiresAt: session.lease.expiresAt
        )
        if session.isFinished {
            try digests.requireCompared(with: session)
            return creation
        }
        do {
            let upload = try await open(session, requestID: requestID)
            guard upload.data.received.prefixCount(of: 0..<session.byteCount) == session.byteCount else {
                throw ServiceError(.conflict, "Some of the partial uploads are not complete.")
            }
            try await finish(upload, session, adding: digests, as: caller, requestID: requestID)
        } catch {
            try digests.requireCompared(with: try await finished(session, despite: error, requestID))
        }
        return creation
    }

    private func finish(
        _ upload: LiveUpload,
        _ session: UploadSessionRecord,
        adding digests: ExpectedDigests,
        as caller: Caller,
        requestID: String
    ) async throws {
        let isMine = try await ending.finish(upload, session, adding: digests, as: caller, requestID: requestID)
        guard !isMine, !digests.isEmpty else { return }
        // It was finished for another request, which may have expected something else.
        let question = ShowSession(image: session.image.id, attempt: session.attempt)
        try digests.requireCompared(with: try await registry.ask(question, as: .service, requestID: requestID))
    }

    private func finishIfWhole(
        _ upload: LiveUpload,
        _ session: UploadSessionRecord,
        adding digests: ExpectedDigests = ExpectedDigests(),
        as caller: Caller,
        requestID: String
    ) async throws {
        let range = 0..<session.byteCount
        guard !session.terms.isParallel, upload.data.received.prefixCount(of: range) == session.byteCount else {
            return
        }
        try await finish(upload, session, adding: digests, as: caller, requestID: requestID)
    }

    /// Ends an upload that is under way; of several parts, all.
    func end(_ id: ImageID, _ name: UploadName, as caller: Caller, requestID: String) async throws {
        try policy.requireWritable(caller)
        let session = try await session(id, name, as: caller, requestID: requestID)
        _ = try name.range(in: session)
        let isComplete: Bool
        if session.isFinished {
            isComplete = true
        } else {
            let (store, location) = try place(of: session)
            isComplete = try await attempts.withdraw(store, location, as: caller, requestID: requestID)
            live.remove(session.attempt)
        }
        guard !isComplete else {
            throw ServiceError(.conflict, "The upload is complete: delete the image to delete its data.")
        }
    }
}
