internal import DataUpkeep
internal import ImageModel
internal import Policy
internal import RegistryContract

/// Deletes an image: hide the record, remove the data within a time bound, report. What a store cannot do now stays queued;
/// what it refuses gives the record back. With `delayed_delete` the data of active images is left to a scrubber.
struct ImageDeletion: Sendable {
    let registry: any RegistryClient
    let policy: ImagePolicy
    let data: DataDeletion
    /// Seconds that data stays (`scrub_time`); `nil` where it goes at once.
    let scrubTime: Int64?
    let holder: Holder

    /// - Parameter precondition: What the client demands of the record as it is when it is deleted.
    func delete(
        _ id: ImageID,
        onlyIf precondition: ImagePrecondition = { _ in },
        as caller: Caller,
        requestID: String
    ) async throws {
        try policy.requireWritable(caller)
        let pending = try await hide(id, onlyIf: precondition, as: caller, requestID: requestID)
        guard !pending.isEmpty else { return }
        let outcome = await data.remove(pending)
        if let refusal = outcome.refusal, outcome.removed.isEmpty {
            _ = try await registry.ask(RestoreImage(id: id), as: caller, requestID: requestID)
            throw refusal
        }
        // From here on the deletion happens; should the report be lost, housekeeping repeats what is harmless to repeat.
        await data.report(outcome, requestID: requestID)
    }

    private func hide(
        _ id: ImageID,
        onlyIf precondition: ImagePrecondition,
        as caller: Caller,
        requestID: String
    ) async throws -> [PendingDeletion] {
        try await Deciding.anew {
            let image = try await read(id, caller, requestID)
            try policy.require(.deleteImage, on: image, by: caller)
            guard !image.protected else {
                throw ServiceError(.forbidden, "Image \(id) is protected and cannot be deleted.")
            }
            try precondition(image)
            return try await registry.call(
                DeleteImage(id: id, revision: image.revision, holder: holder, scrubAfter: scrubTime),
                as: caller,
                requestID: requestID
            ).deletions
        }
    }

    private func read(_ id: ImageID, _ caller: Caller, _ requestID: String) async throws(ServiceError) -> Image {
        do {
            return try await registry.image(id, as: caller, requestID: requestID)
        } catch  where error.code == .notFound {
            throw ServiceError(.notFound, Self.absence(id.text))
        }
    }

    /// The words in which it is said that there is no image of an id.
    static func absence(_ id: String) -> String { "Failed to find image \(id) to delete" }
}
