internal import DataUpkeep
internal import ImageModel
internal import Logging
internal import RegistryContract
internal import ServiceKit
internal import StoreLayer

/// The frame of every attempt at moving a client's data into a store: claim, move, record, and taking back whatever came
/// to nothing. Three exchanges, and one for every renewal of the lease while the bytes flow.
struct UploadAttempts: Sendable {
    let registry: any RegistryClient
    let leases: UploadLeases
    let data: DataDeletion
    let logger: Logger

    /// - Parameters:
    ///   - begin: Claims the image for the location, or tells what has to go from there first.
    ///   - move: Writes the bytes, only as long as the lease holds.
    ///   - finish: What the registry is to record of them.
    func run<Moved: Sendable, Finish: RegistryOperation>(
        _ id: ImageID,
        in store: any Store,
        size: Int64?,
        requestID: String,
        as caller: Caller,
        begin: (IntendedLocation) async throws(ServiceError) -> UploadClaim,
        move: (IntendedLocation, UploadLease) async throws -> Moved,
        finish: (IntendedLocation, Moved) -> Finish
    ) async throws {
        let claimed = try await claim(id, in: store, size: size, requestID: requestID, begin: begin)
        let location = claimed.location
        let lease = UploadLease(
            attempt: location.attempt,
            requestedAt: claimed.requestedAt,
            duration: .seconds(claimed.claim.leaseSeconds)
        )
        leases.add(lease)
        defer { leases.remove(lease) }
        let moved: Moved
        do {
            moved = try await move(location, lease)
        } catch {
            await undo(store, location, as: caller, requestID: requestID)
            throw (error as? StoreError).map { ServiceError($0) } ?? error
        }
        try await record(finish(location, moved), store, location, as: caller, requestID: requestID)
    }

    /// An image that an attempt has for itself.
    struct Claimed: Sendable {
        var location: IntendedLocation
        var claim: UploadClaim
        /// A moment before the claim was granted.
        var requestedAt: ContinuousClock.Instant
    }

    /// Claims the image; where bytes of an earlier attempt still lie in the way, removes those first.
    func claim(
        _ id: ImageID,
        in store: any Store,
        size: Int64?,
        requestID: String,
        begin: (IntendedLocation) async throws(ServiceError) -> UploadClaim
    ) async throws(ServiceError) -> Claimed {
        let location: IntendedLocation
        do throws(StoreError) {
            location = try await store.intend(id.text, attempt: makeUUID(), size: size)
        } catch {
            throw ServiceError(error)
        }
        for _ in 0..<4 {
            let requestedAt = ContinuousClock.now
            let claim = try await begin(location)
            if claim.toSettle.isEmpty { return Claimed(location: location, claim: claim, requestedAt: requestedAt) }
            await data.report(await data.remove(claim.toSettle), requestID: requestID)
        }
        throw ServiceError(.unavailable, "Data of an earlier upload could not be removed yet; try again later.")
    }

    /// Takes an attempt back, to its end even when the request was cancelled. What fails here the lease's end repairs.
    func undo(_ store: any Store, _ location: IntendedLocation, as caller: Caller, requestID: String) async {
        await Task {
            let isDiscarded = await discard(location, in: store)
            await abort(location.attempt, isDiscarded: isDiscarded, as: caller, requestID: requestID)
        }.value
    }

    /// As ``undo(_:_:as:requestID:)``, for an attempt that somebody else may be recording at this moment: nothing is removed
    /// before the registry says that it was not. From then on its deletion is queued: what is not removed here is then.
    ///
    /// - Returns: Whether it was recorded: then its data is the image's, and stays.
    func withdraw(
        _ store: any Store,
        _ location: IntendedLocation,
        as caller: Caller,
        requestID: String
    ) async throws -> Bool {
        try await Task {
            let abort = AbortUpload(attempt: location.attempt, isDiscarded: false)
            if try await registry.ask(abort, as: caller, requestID: requestID).isFinished { return true }
            _ = await discard(location, in: store)
            return false
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
        _ finish: some RegistryOperation,
        _ store: any Store,
        _ location: IntendedLocation,
        as caller: Caller,
        requestID: String
    ) async throws(ServiceError) {
        do throws(RegistryError) {
            _ = try await registry.call(finish, as: caller, requestID: requestID)
        } catch {
            // Only where the registry says so the attempt is over. Without an answer nobody knows whether it was recorded:
            // the bytes stay, and the lease's end decides.
            if error.code == .leaseLost || error.code == .limitExceeded {
                await undo(store, location, as: caller, requestID: requestID)
            }
            throw ServiceError(error)
        }
        do throws(StoreError) {
            try await store.confirm(location)
        } catch {
            logger.warning("A temporary name is left for housekeeping", metadata: ["error": "\(error)"])
        }
    }
}

extension UploadLease {
    /// - Throws: `superseded`.
    func requireHeld() throws(StoreError) {
        guard isHeld else {
            throw StoreError(.superseded, "The attempt's lease has passed on")
        }
    }
}
