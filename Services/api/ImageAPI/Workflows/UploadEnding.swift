internal import CoreMetrics
internal import DataUpkeep
internal import Digests
internal import ImageModel
internal import Logging
internal import RegistryContract
internal import StoreLayer

/// How an upload that came in several requests becomes an image's data: digests, inspection, publish, record. Whatever is
/// wrong with the data ends the upload; whatever is wrong with the service leaves it to be finished later.
struct UploadEnding: Sendable {
    let registry: any RegistryClient
    let hashAlgorithm: DigestAlgorithm
    let inspection: ContentInspection
    let attempts: UploadAttempts
    let live: LiveUploads
    let logger: Logger

    /// Bytes that digests could not take when they came: of parts, of checked requests, and after a restart.
    static let countReadBack: @Sendable (Int64) -> Void = { count in
        Counter(label: "upload_bytes_reread").increment(by: count)
    }

    /// - Parameter digests: What the client expects besides what it said at the beginning.
    /// - Returns: Whether this call was it that finished the upload, and so compared these digests.
    func finish(
        _ upload: LiveUpload,
        _ session: UploadSessionRecord,
        adding digests: ExpectedDigests = ExpectedDigests(),
        as caller: Caller,
        requestID: String
    ) async throws -> Bool {
        var expected = try ExpectedDigests(recorded: session.terms.digests)
        for (algorithm, digest) in digests.values { try expected.add(digest, algorithm) }
        let all = expected
        return try await upload.finish {
            // What is read through and published here is all that there will be: nobody adds a part from here on.
            if session.terms.isParallel {
                try await upload.record(closing: session.byteCount, requestID: requestID)
            } else {
                try await upload.requireHeld(requestID: requestID)
            }
            try await upload.keepingAlive(requestID: requestID, whenever: { _ in true }) {
                let data = try await publish(upload, session, all, as: caller, requestID: requestID)
                try await record(data, all, upload, session, requestID)
            }
        }
    }

    private func publish(
        _ upload: LiveUpload,
        _ session: UploadSessionRecord,
        _ expected: ExpectedDigests,
        as caller: Caller,
        requestID: String
    ) async throws -> UploadedData {
        do {
            return try await upload.data.finish(
                byteCount: session.byteCount,
                expected: expected,
                accept: inspection.rule(for: session.image),
                mayStillPublish: { upload.isHeld }
            )
        } catch {
            let translated = (error as? StoreError).map { ServiceError($0) } ?? error
            if Self.isForGood(error) {
                await giveUp(upload, as: caller, requestID: requestID)
            }
            throw translated
        }
    }

    /// Why the data was refused is what the client has to know, also where the registry cannot be told: then the lease's
    /// end repairs it.
    private func giveUp(_ upload: LiveUpload, as caller: Caller, requestID: String) async {
        live.remove(upload.location.attempt)
        do {
            _ = try await attempts.withdraw(upload.store, upload.location, as: caller, requestID: requestID)
        } catch {
            logger.warning(
                "Data that was refused could not be given up; its lease will end",
                metadata: ["image.id": "\(upload.image)", "error": "\(error)"]
            )
        }
    }

    /// Whether the same data would be refused again.
    private static func isForGood(_ error: any Error) -> Bool {
        switch error {
        case let error as StoreError:
            [.digestMismatch, .sizeMismatch, .alreadyExists, .superseded, .tooLarge].contains(error.code)
        case let error as ServiceError: error.code == .unsupportedMediaType
        default: false
        }
    }

    private func record(
        _ data: UploadedData,
        _ compared: ExpectedDigests,
        _ upload: LiveUpload,
        _ session: UploadSessionRecord,
        _ requestID: String
    ) async throws {
        let finish = FinishUpload(
            attempt: session.attempt,
            size: data.stored.byteCount,
            checksum: data.checksum.description,
            hashAlgorithm: hashAlgorithm.rawValue,
            hashValue: data.multihash.description,
            identity: data.stored.identity,
            virtualSize: data.virtualSize,
            diskFormat: session.image.diskFormat,
            digests: compared.recorded
        )
        do throws(RegistryError) {
            _ = try await registry.call(finish, as: .service, requestID: requestID)
        } catch {
            // Without an answer nobody knows; whoever asks for the upload next finds out.
            guard error.code == .leaseLost else { throw ServiceError(error) }
            try await settle(error, upload, requestID)
        }
        live.remove(session.attempt)
        do throws(StoreError) {
            try await upload.store.confirm(upload.location)
        } catch {
            logger.warning("A temporary name is left for housekeeping", metadata: ["error": "\(error)"])
        }
    }

    /// The registry knows nothing of the attempt any more: it was recorded before, by a request whose answer was lost, or
    /// it is over, and its bytes go.
    private func settle(_ refusal: RegistryError, _ upload: LiveUpload, _ requestID: String) async throws {
        let isRecorded = try await attempts.withdraw(
            upload.store,
            upload.location,
            as: .service,
            requestID: requestID
        )
        guard !isRecorded else { return }
        live.remove(upload.location.attempt)
        throw ServiceError(refusal)
    }
}
