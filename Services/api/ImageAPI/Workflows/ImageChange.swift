internal import DataUpkeep
internal import ImageModel
internal import Policy
internal import RegistryContract
internal import StoreLayer

/// What a client demands of the record that its change is based on (`If-Match`): throws `preconditionFailed` where the
/// record is another.
///
/// It is asked about the very record whose revision the write names, and again about the next one when the write was
/// overtaken: that has another revision, so another tag.
typealias ImagePrecondition = @Sendable (Image) throws(ServiceError) -> Void

/// Changes a record: read, decide, write conditionally on what was read. Who was overtaken reads and decides again, so that
/// of two writers neither undoes the other's change unseen.
struct ImageChange: Sendable {
    let registry: any RegistryClient
    let policy: ImagePolicy
    let protections: PropertyProtections
    let limits: ImageLimits
    let quotas: UsageQuotas
    let locationRules: LocationRules
    let external: ExternalLocations
    let data: DataDeletion
    let holder: Holder
    let check: PropertyCheck

    /// Applies a JSON patch: all of it or nothing.
    func apply(
        _ patch: ImagePatch,
        to id: ImageID,
        onlyIf precondition: ImagePrecondition = { _ in },
        as caller: Caller,
        requestID: String
    ) async throws -> Image {
        try policy.requireWritable(caller)
        let known = external.remembering()
        return try await change(id, as: caller, requestID: requestID) { image in
            guard !patch.operations.isEmpty else {
                try policy.require(.getImage, on: image, by: caller)
                try precondition(image)
                return nil
            }
            var outcome = PatchOutcome(of: shown(image))
            for (index, operation) in patch.operations.enumerated() {
                try requireAllowed(operation, on: image, by: caller)
                // Not before anything was allowed: it tells of the record.
                if index == 0 { try precondition(image) }
                guard case .locations(let change) = operation else {
                    let admitted = try protections.admit(operation, on: outcome.image, by: caller)
                    try outcome.apply(admitted, by: caller, limits: limits)
                    continue
                }
                let found = try await known.data(at: outcome.image.judge(change, locationRules))
                try outcome.apply(change, locationRules, found: found)
            }
            try outcome.requireRoom(within: limits)
            if outcome.changesLocations { try requireSoundCopy(in: outcome.image, before: image) }
            return Change(image: outcome.image, movesData: outcome.changesLocations)
        }
    }

    /// What is left of an image with sound data is not only damaged copies, which are not served (decision 0017).
    private func requireSoundCopy(in changed: Image, before image: Image) throws(ServiceError) {
        func hasSoundCopy(_ changed: Image) -> Bool {
            changed.locations.contains { !image.damaged.contains($0.url) }
        }
        guard hasSoundCopy(image), !changed.locations.isEmpty, !hasSoundCopy(changed) else { return }
        throw ServiceError(.forbidden, "Cannot remove this location: all other copies are damaged.")
    }

    /// The image with its locations as clients see them, so that positions mean the same to both.
    private func shown(_ image: Image) -> Image {
        var image = image
        image.locations = external.catalogue.ordered(image.locations)
        return image
    }

    /// Asked as the operation comes: what is wrong with one before it is said first.
    private func requireAllowed(
        _ operation: ImagePatchOperation,
        on image: Image,
        by caller: Caller
    ) throws(ServiceError) {
        guard case .locations(let change) = operation else {
            try policy.require(.modifyImage, on: image, by: caller)
            if case .setField(.visibility(let visibility), _) = operation {
                try policy.requireVisibility(visibility, on: image, by: caller)
            }
            return
        }
        if case .replace(let entries) = change, entries.isEmpty {
            throw ServiceError(.forbidden, "Cannot set locations to empty list.")
        }
        let rule: PolicyRule = if case .remove = change { .deleteImageLocation } else { .setImageLocation }
        try policy.require(rule, on: image, by: caller)
        try locationRules.requireVisible()
    }

    func addTag(
        _ tag: String,
        to id: ImageID,
        onlyIf precondition: ImagePrecondition = { _ in },
        as caller: Caller,
        requestID: String
    ) async throws {
        try policy.requireWritable(caller)
        _ = try await change(id, as: caller, requestID: requestID) { image in
            try policy.require(.modifyImage, on: image, by: caller)
            try precondition(image)
            return try tagged(image, with: tag).map { Change(image: $0) }
        }
    }

    /// - Returns: `nil` when the image has the tag already.
    private func tagged(_ image: Image, with tag: String) throws(ServiceError) -> Image? {
        var changed = image
        do throws(ServiceError) {
            return try changed.addTag(tag, limits: limits) ? changed : nil
        } catch {
            guard error.code == .limitExceeded else { throw error }
            throw ServiceError(.limitExceeded, "Image tag limit exceeded for image \(image.id): \(error.message)")
        }
    }

    func removeTag(
        _ tag: String,
        from id: ImageID,
        onlyIf precondition: ImagePrecondition = { _ in },
        as caller: Caller,
        requestID: String
    ) async throws {
        try policy.requireWritable(caller)
        _ = try await change(id, as: caller, requestID: requestID) { image in
            try policy.require(.modifyImage, on: image, by: caller)
            try precondition(image)
            var changed = image
            guard changed.removeTag(tag) else { throw ServiceError(.notFound, "The image has no such tag.") }
            return Change(image: changed)
        }
    }

    func deactivate(
        _ id: ImageID,
        onlyIf precondition: ImagePrecondition = { _ in },
        as caller: Caller,
        requestID: String
    ) async throws {
        try await move(id, .deactivate, from: .active, to: .deactivated, "deactivate", precondition, caller, requestID)
    }

    func reactivate(
        _ id: ImageID,
        onlyIf precondition: ImagePrecondition = { _ in },
        as caller: Caller,
        requestID: String
    ) async throws {
        try await move(id, .reactivate, from: .deactivated, to: .active, "reactivate", precondition, caller, requestID)
    }

    private func move(
        _ id: ImageID,
        _ rule: PolicyRule,
        from: ImageStatus,
        to: ImageStatus,
        _ verb: String,
        _ precondition: ImagePrecondition,
        _ caller: Caller,
        _ requestID: String
    ) async throws {
        try policy.requireWritable(caller)
        _ = try await change(id, as: caller, requestID: requestID) { image in
            try policy.require(rule, on: image, by: caller)
            try precondition(image)
            if image.status == to { return nil }
            guard image.status == from else {
                throw ServiceError(.forbidden, "Not allowed to \(verb) image in status '\(image.status.rawValue)'")
            }
            var changed = image
            changed.status = to
            return Change(image: changed)
        }
    }

    /// What is to be written.
    private struct Change: Sendable {
        var image: Image
        /// Whether its locations are others now.
        var movesData = false
    }

    /// - Parameter decide: What becomes of the image as it was read; `nil` when nothing is to be written.
    private func change(
        _ id: ImageID,
        as caller: Caller,
        requestID: String,
        _ decide: @Sendable (Image) async throws -> Change?
    ) async throws -> Image {
        try await Deciding.anew {
            let image = try await registry.image(id, as: caller, requestID: requestID)
            guard let change = try await decide(image) else { return image }
            let limits = change.movesData ? try await quotas.limits(of: change.image.owner, for: .location) : .none
            let properties = change.image.properties
            try await check.require(properties, before: image.properties, as: caller, requestID: requestID)
            return try await write(change, within: limits, as: caller, requestID: requestID)
        }
    }

    private func write(_ change: Change, within limits: UsageLimits, as caller: Caller, requestID: String)
        async throws(RegistryError) -> Image
    {
        guard change.movesData else {
            return try await registry.call(UpdateImage(image: change.image), as: caller, requestID: requestID)
        }
        let relocated = try await registry.call(
            RelocateImage(image: change.image, holder: holder, limits: limits),
            as: caller,
            requestID: requestID
        )
        // The record has let go of this data for good; what a store does not delete now stays queued.
        if !relocated.deletions.isEmpty {
            await data.report(await data.remove(relocated.deletions), requestID: requestID)
        }
        return relocated.image
    }
}
