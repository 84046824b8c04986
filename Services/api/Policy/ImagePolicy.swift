public import ImageModel
internal import PolicyLanguage

/// Who may do what with images. The one place that turns "no" into an error the caller may see.
public struct ImagePolicy: Sendable {
    private let files: PolicyFiles?
    /// Who asks other services where rules want it.
    private let service: (any PolicyService)?

    /// The defaults, whatever files there are.
    public init() {
        files = nil
        service = nil
    }

    /// The defaults and the files, as they stand at each question.
    public init(files: PolicyFiles, asking service: (any PolicyService)? = nil) {
        self.files = files
        self.service = service
    }

    private var table: PolicyTable { files?.table ?? .defaults }

    /// Whether any question may have to wait for another service: then every one may block its thread.
    public var mayBlock: Bool { service != nil && table.asksServices }

    /// Takes over what changed in the files. Costs a few looks at the file system; to be called once per request.
    public func followFiles() { files?.follow() }

    /// Whether a caller with these roles is an administrator (`context_is_admin`). Roles are lower case.
    public func isAdmin(roles: Set<String>) -> Bool { isAdmin(Caller(roles: roles)) }

    /// Whether a caller is an administrator (`context_is_admin`), whatever it says of itself.
    public func isAdmin(_ caller: Caller) -> Bool { allows(.contextIsAdmin, .none, caller) }

    public func allows(_ rule: PolicyRule, _ target: PolicyTarget, _ caller: Caller) -> Bool {
        table.refusal(of: rule, target, caller, asking: service) == nil
    }

    /// Whether a rule allows, for what a caller is not told of otherwise.
    ///
    /// - Throws: `forbidden` for a token of another scope; `unavailable` while the service that decides does not say.
    public func mayDo(_ rule: PolicyRule, _ target: PolicyTarget, by caller: Caller) throws(ServiceError) -> Bool {
        try refusal(of: rule, target, by: caller) == nil
    }

    /// What a refusal is told as in the log; `nil` where there is none.
    ///
    /// - Throws: `forbidden` for a token of another scope; `unavailable` while the service that decides does not say.
    public func refusal(
        of rule: PolicyRule,
        _ target: PolicyTarget,
        by caller: Caller
    ) throws(ServiceError) -> PolicyRefusal? {
        let table = table
        guard
            let reason = table.refusal(of: rule, target, caller, asking: service)
                ?? membershipRefusal(rule, target.owner, table, caller)
        else { return nil }
        if reason.saysNothingOfImages { throw Self.forbidden(rule, reason) }
        return PolicyRefusal(rule: rule.rawValue, reason: reason)
    }

    /// The former defaults left it to this check that the owner chooses the members, and that they answer for themselves.
    private func membershipRefusal(
        _ rule: PolicyRule,
        _ owner: String?,
        _ table: PolicyTable,
        _ caller: Caller
    ) -> PolicyRefusal.Reason? {
        guard !table.enforcesNewDefaults, !caller.isAdmin else { return nil }
        let owns = owner != nil && owner == caller.project
        switch rule {
        case .addMember, .deleteMember: return owns ? nil : .ownership
        case .modifyMember: return owns ? .membership : nil
        default: return nil
        }
    }

    /// Whether a rule allows that an operator named; nothing is asked about. One that is not defined allows nothing.
    public func allows(ruleNamed name: String, _ caller: Caller) -> Bool {
        table.refusal(ofRule: name, .none, caller, asking: service) == nil
    }

    /// Refuses what `rule` does not allow where no image stands to be hidden.
    ///
    /// - Throws: `forbidden`; its cause, for the log, is a ``PolicyRefusal``.
    public func require(_ rule: PolicyRule, _ target: PolicyTarget, by caller: Caller) throws(ServiceError) {
        if let reason = table.refusal(of: rule, target, caller, asking: service) { throw Self.forbidden(rule, reason) }
    }

    /// Refuses what `rule` does not allow on an image that was found.
    ///
    /// - Throws: `forbidden`; `notFound` where the caller may not even see the image, since a refusal would tell that
    ///   it exists (Image API v2, "Policy"), also for a token of another scope; `unavailable` while the service that decides
    ///   does not say.
    public func require(_ rule: PolicyRule, on image: Image, by caller: Caller) throws(ServiceError) {
        let target = PolicyTarget(image: image, caller: caller), table = table
        guard let reason = table.refusal(of: rule, target, caller, asking: service) else {
            return try requireOwnership(rule, image.owner, table, caller)
        }
        if case .unanswered = reason { throw Self.forbidden(rule, reason) }
        let cause = PolicyRefusal(rule: rule.rawValue, reason: reason)
        if rule == .getImage { throw ServiceError(.notFound, "No image found with ID \(image.id)", cause: cause) }
        guard try maySee(target, table, caller) else {
            throw ServiceError(.notFound, "The resource could not be found.", cause: cause)
        }
        throw Self.forbidden(rule, reason)
    }

    /// Whether the caller may see an image that was found; whose token is of another scope does not.
    ///
    /// - Throws: `unavailable` while the service that decides does not say.
    public func maySee(_ image: Image, by caller: Caller) throws(ServiceError) -> Bool {
        try maySee(PolicyTarget(image: image, caller: caller), table, caller)
    }

    private func maySee(_ target: PolicyTarget, _ table: PolicyTable, _ caller: Caller) throws(ServiceError) -> Bool {
        switch table.refusal(of: .getImage, target, caller, asking: service) {
        case nil: return true
        case .unanswered(let fault)?: throw Self.forbidden(.getImage, .unanswered(fault))
        case _?: return false
        }
    }

    /// Refuses to create an image of that owner and visibility, before there is one.
    ///
    /// - Throws: `forbidden`, which names the owner where that is what is wrong.
    public func requireCreate(owner: String?, visibility: Visibility, by caller: Caller) throws(ServiceError) {
        let target = PolicyTarget(proposedOwner: owner, visibility: visibility), table = table
        var reason = table.refusal(of: .addImage, target, caller, asking: service)
        if reason == nil, !table.enforcesNewDefaults, !caller.isAdmin, owner != caller.project { reason = .ownership }
        if let reason {
            if reason.saysNothingOfImages { throw Self.forbidden(.addImage, reason) }
            let cause = PolicyRefusal(rule: PolicyRule.addImage.rawValue, reason: reason)
            if owner == caller.project { throw Self.forbidden(.addImage, reason) }
            throw ServiceError(
                .forbidden,
                "You are not permitted to create images owned by '\(owner ?? "None")'",
                cause: cause
            )
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

    /// The former defaults allowed everything, and left it to this check who owns what.
    private func requireOwnership(
        _ rule: PolicyRule,
        _ owner: String?,
        _ table: PolicyTable,
        _ caller: Caller
    ) throws(ServiceError) {
        guard !table.enforcesNewDefaults, !caller.isAdmin else { return }
        switch rule {
        case .deleteImage, .uploadImage, .modifyImage, .deactivate, .reactivate, .deleteImageLocation:
            if let owner, owner == caller.project { return }
            throw ServiceError(
                .forbidden,
                "You do not own this image",
                cause: PolicyRefusal(rule: rule.rawValue, reason: .ownership)
            )
        default: return
        }
    }

    private static func rule(toBecome visibility: Visibility) -> PolicyRule? {
        switch visibility {
        case .public: .publicizeImage
        case .community: .communitizeImage
        case .private, .shared: nil
        }
    }

    /// - Returns: `forbidden`; `unavailable` where another service does not say.
    static func forbidden(_ rule: PolicyRule, _ reason: PolicyRefusal.Reason) -> ServiceError {
        let cause = PolicyRefusal(rule: rule.rawValue, reason: reason)
        if case .unanswered = reason {
            return ServiceError(
                .unavailable,
                "The service that decides on \(rule.rawValue) does not answer; try again later.",
                cause: cause
            )
        }
        let advice = reason == .scope ? " It takes a token of a project." : ""
        return ServiceError(
            .forbidden,
            "You are not authorized to complete \(rule.rawValue) action.\(advice)",
            cause: cause
        )
    }
}

extension PolicyRefusal.Reason {
    /// Whether the refusal is the same whatever there is: it may be told where what there is may not.
    var saysNothingOfImages: Bool {
        switch self {
        case .scope, .unanswered: true
        case .denied, .fault, .ownership, .membership: false
        }
    }
}
