public import ImageModel

/// Who may do what with images. The one place that turns "no" into an error the caller may see.
public struct ImagePolicy: Sendable {
    public init() {}

    /// Whether a caller with these roles is an administrator (`context_is_admin`). Roles are lower case.
    public func isAdmin(roles: Set<String>) -> Bool { PolicyDefaults.isAdmin(roles: roles) }

    public func allows(_ rule: PolicyRule, _ target: PolicyTarget, _ caller: Caller) -> Bool {
        PolicyDefaults.allows(rule, target, caller)
    }

    /// Refuses what `rule` does not allow where no image stands to be hidden.
    ///
    /// - Throws: `forbidden`.
    public func require(_ rule: PolicyRule, _ target: PolicyTarget, by caller: Caller) throws(ServiceError) {
        guard allows(rule, target, caller) else { throw Self.refusal(of: rule) }
    }

    /// Refuses what `rule` does not allow on an image that was found.
    ///
    /// - Throws: `forbidden`; `notFound` where the caller may not even see the image, since a refusal would tell that
    ///   it exists (Image API v2, "Policy").
    public func require(_ rule: PolicyRule, on image: Image, by caller: Caller) throws(ServiceError) {
        let target = PolicyTarget(image: image, caller: caller)
        if allows(rule, target, caller) { return }
        if rule == .getImage { throw ServiceError(.notFound, "No image found with ID \(image.id)") }
        guard allows(.getImage, target, caller) else {
            throw ServiceError(.notFound, "The resource could not be found.")
        }
        throw Self.refusal(of: rule)
    }

    /// Refuses to create an image of that owner and visibility, before there is one.
    ///
    /// - Throws: `forbidden`, which names the owner where that is what is wrong.
    public func requireCreate(owner: String?, visibility: Visibility, by caller: Caller) throws(ServiceError) {
        let target = PolicyTarget(proposedOwner: owner, visibility: visibility)
        guard allows(.addImage, target, caller) else {
            if owner == caller.project { throw Self.refusal(of: .addImage) }
            throw ServiceError(.forbidden, "You are not permitted to create images owned by '\(owner ?? "None")'")
        }
        if let rule = Self.rule(toBecome: visibility) { try require(rule, target, by: caller) }
    }

    /// Refuses to give an image a visibility that takes a rule of its own. `modify_image` is a separate question.
    public func requireVisibility(_ visibility: Visibility, on image: Image, by caller: Caller) throws(ServiceError) {
        if let rule = Self.rule(toBecome: visibility) { try require(rule, on: image, by: caller) }
    }

    /// Refuses every change to anonymous callers.
    public func requireWritable(_ caller: Caller) throws(ServiceError) {
        if caller.isReadOnly { throw ServiceError(.forbidden, "Read-only access") }
    }

    private static func rule(toBecome visibility: Visibility) -> PolicyRule? {
        switch visibility {
        case .public: .publicizeImage
        case .community: .communitizeImage
        case .private, .shared: nil
        }
    }

    private static func refusal(of rule: PolicyRule) -> ServiceError {
        ServiceError(.forbidden, "You are not authorized to complete \(rule.rawValue) action.")
    }
}
