internal import ImageModel
internal import Policy
internal import RegistryContract
internal import ServiceKit

/// Creates the record of an image, still without data: one exchange, and one more where properties are checked.
struct ImageCreation: Sendable {
    let registry: any RegistryClient
    let policy: ImagePolicy
    let protections: PropertyProtections
    let limits: ImageLimits
    let quotas: UsageQuotas
    let check: PropertyCheck

    func create(_ draft: ImageDraft, as caller: Caller, requestID: String) async throws -> Image {
        try policy.requireWritable(caller)
        let owner = try draft.owner(for: caller)
        try policy.requireCreate(owner: owner, visibility: draft.visibility, by: caller)
        for name in draft.properties.keys.sorted() { try protections.require(.create, name, by: caller) }
        try draft.requireValidFields()
        try draft.requireRoom(within: limits)
        try await check.require(draft.properties, as: caller, requestID: requestID)
        // The registry's clock sets the times.
        let image = draft.image(newID: Self.newID(), owner: owner, now: Timestamp(microseconds: 0))
        let limits = try await quotas.limits(of: owner, for: .image)
        return try await registry.ask(CreateImage(image: image, limits: limits), as: caller, requestID: requestID)
    }

    private static func newID() -> ImageID {
        guard let id = ImageID(makeUUID()) else { preconditionFailure("a UUID is an image id") }
        return id
    }
}
