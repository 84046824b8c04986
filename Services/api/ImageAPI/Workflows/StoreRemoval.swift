internal import DataUpkeep
internal import ImageModel
internal import Policy
internal import RegistryContract
internal import StoreLayer

/// Removes one of several copies of an image's data (Image API v2, "Delete image from store"): the record lets go of the
/// location, then the data goes. What the store cannot do now stays queued; what it refuses gives the location back.
struct StoreRemoval: Sendable {
    let registry: any RegistryClient
    let policy: ImagePolicy
    let catalogue: StoreCatalogue
    let data: DataDeletion
    let holder: Holder

    /// - Throws: `notFound` where there is no choice of stores, `conflict` for one that this node has not.
    func store(_ identifier: String) throws(ServiceError) -> any Store {
        guard catalogue.isMultiStore else {
            throw ServiceError(.notFound, "Multi backend is not supported at this site.")
        }
        guard let store = catalogue.store(identifier) else {
            throw ServiceError(
                .conflict,
                "The selected store \(identifier.prefix(255)) is not available on this node."
            )
        }
        return store
    }

    func run(_ id: ImageID, from store: any Store, as caller: Caller, requestID: String) async throws {
        try policy.requireWritable(caller)
        let deletions = try await letGo(id, of: store, as: caller, requestID: requestID)
        guard !deletions.isEmpty else { return }
        let outcome = await data.remove(deletions)
        if let refusal = outcome.refusal {
            _ = try await registry.ask(
                WithdrawDeletions(ids: outcome.postponed),
                as: .service,
                requestID: requestID
            )
            throw refusal
        }
        await data.report(outcome, requestID: requestID)
    }

    /// Takes the image's first location in the store from its record.
    ///
    /// - Returns: what has to go from the store: nothing where no store of ours put it there.
    private func letGo(
        _ id: ImageID,
        of store: any Store,
        as caller: Caller,
        requestID: String
    ) async throws -> [PendingDeletion] {
        try await Deciding.anew {
            var image = try await read(id, as: caller, requestID: requestID)
            try policy.require(.getImageLocation, on: image, by: caller)
            try policy.require(.deleteImageLocation, on: image, by: caller)
            image.locations.remove(at: try position(in: image, of: store))
            return try await registry.call(
                RelocateImage(image: image, holder: holder),
                as: caller,
                requestID: requestID
            ).deletions
        }
    }

    private func position(in image: Image, of store: any Store) throws(ServiceError) -> Int {
        guard image.status == .active else {
            throw ServiceError(
                .conflict,
                "It's not allowed to remove image data from store if image status is not 'active'"
            )
        }
        let position = image.locations.firstIndex {
            catalogue.store(holding: StoreLocation(url: $0.url, store: $0.store))?.identifier == store.identifier
        }
        guard image.locations.count > 1 else {
            throw ServiceError(.forbidden, "Cannot delete image data from the only store containing it.")
        }
        guard let position else {
            throw ServiceError(.notFound, "Image \(image.id) is not stored in store \(store.identifier).")
        }
        var others = image.locations
        let location = others.remove(at: position)
        guard image.damaged.contains(location.url) || !others.allSatisfy({ image.damaged.contains($0.url) }) else {
            throw ServiceError(
                .forbidden,
                "Cannot delete image data from store \(store.identifier): all other copies are damaged."
            )
        }
        return position
    }

    private func read(_ id: ImageID, as caller: Caller, requestID: String) async throws(ServiceError) -> Image {
        do {
            return try await registry.image(id, as: caller, requestID: requestID)
        } catch  where error.code == .notFound {
            throw ServiceError(.notFound, Self.absence(id.text))
        }
    }

    /// The words in which it is said that there is no image of an id.
    static func absence(_ id: String) -> String { "Failed to find image \(id)" }
}
