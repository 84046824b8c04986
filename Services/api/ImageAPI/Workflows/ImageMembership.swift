internal import ImageModel
internal import Policy
internal import RegistryContract

/// Shares an image with projects, and takes their answers. A read is one exchange. A change is two: read the image,
/// decide, and write while the image is the one that was read; who was overtaken decides anew.
///
/// The checks come in the order in which the API answers: the image is found (404), it is shared (403), the member is
/// found (404), policy (403). Who may not see the image by policy finds nothing either.
struct ImageMembership: Sendable {
    let registry: any RegistryClient
    let policy: ImagePolicy
    let limits: ImageLimits

    func list(of id: ImageID, as caller: Caller, requestID: String) async throws -> [ImageMember] {
        let found = try await decide(id) {
            try await registry.call(ListMembers(image: id), as: caller, requestID: requestID)
        }
        guard found.image.visibility == .shared else {
            throw ServiceError(.forbidden, "Only shared images have members.")
        }
        try require(.getMembers, toDo: "list", on: found.image, by: caller)
        let target = PolicyTarget(image: found.image, caller: caller)
        return try policy.mayDo(.getMember, target, by: caller) ? found.members : []
    }

    /// One member; every reason not to show it looks alike.
    func show(_ member: String, of id: ImageID, as caller: Caller, requestID: String) async throws -> ImageMember {
        try await decide(id) {
            try await found(member, in: id, as: caller, requestID: requestID) { image in
                guard image.visibility == .shared else {
                    throw ServiceError(.notFound, ImageMember.absence(of: member, from: id))
                }
            }.member
        }
    }

    func add(_ member: String, to id: ImageID, as caller: Caller, requestID: String) async throws -> ImageMember {
        try policy.requireWritable(caller)
        return try await decide(id) {
            let image = try await registry.call(ShowImage(id: id), as: caller, requestID: requestID)
            try requireShared(image, toDo: "create")
            try require(.addMember, toDo: "create", on: image, by: caller)
            return try await registry.call(
                AddMember(
                    Membership(image: id, revision: image.revision, member: member),
                    quota: Int64(limits.memberQuota)
                ),
                as: caller,
                requestID: requestID
            )
        }
    }

    /// - Parameter status: `nil` for what is no status.
    func answer(
        _ status: MemberStatus?,
        as member: String,
        of id: ImageID,
        by caller: Caller,
        requestID: String
    ) async throws -> ImageMember {
        try policy.requireWritable(caller)
        return try await decide(id) {
            let image = try await found(member, in: id, as: caller, requestID: requestID) { image in
                try requireShared(image, toDo: "update")
            }.image
            try require(.modifyMember, toDo: "update", on: image, by: caller)
            guard let status else { throw MemberStatus.unknown }
            return try await registry.call(
                UpdateMember(Membership(image: id, revision: image.revision, member: member), status: status),
                as: caller,
                requestID: requestID
            )
        }
    }

    func remove(_ member: String, from id: ImageID, as caller: Caller, requestID: String) async throws {
        try policy.requireWritable(caller)
        try await decide(id) {
            let image = try await found(member, in: id, as: caller, requestID: requestID) { image in
                try requireShared(image, toDo: "delete")
            }.image
            try require(.deleteMember, toDo: "delete", on: image, by: caller)
            _ = try await registry.call(
                RemoveMember(Membership(image: id, revision: image.revision, member: member)),
                as: caller,
                requestID: requestID
            )
        }
    }

    // MARK: Checks

    /// An image that passes `check`, and a member of it that the caller may see.
    private func found(
        _ member: String,
        in id: ImageID,
        as caller: Caller,
        requestID: String,
        _ check: (Image) throws -> Void
    ) async throws -> (image: Image, member: ImageMember) {
        let found = try await registry.call(ShowMember(image: id, member: member), as: caller, requestID: requestID)
        try check(found.image)
        let target = PolicyTarget(image: found.image, caller: caller)
        guard let row = found.member, try policy.maySee(found.image, by: caller),
            try policy.mayDo(.getMember, target, by: caller)
        else { throw ServiceError(.notFound, ImageMember.absence(of: member, from: id)) }
        return (found.image, row)
    }

    private func requireShared(_ image: Image, toDo verb: String) throws(ServiceError) {
        guard image.visibility == .shared else {
            throw ServiceError(
                .forbidden,
                "Not allowed to \(verb) members for image \(image.id). Only shared images have members."
            )
        }
    }

    /// Who may not see an image has no business with its members, whatever their rule says.
    private func require(
        _ rule: PolicyRule,
        toDo verb: String,
        on image: Image,
        by caller: Caller
    ) throws(ServiceError) {
        let target = PolicyTarget(image: image, caller: caller)
        guard try policy.maySee(image, by: caller) else { throw Self.absence(of: image.id) }
        if let refusal = try policy.refusal(of: rule, target, by: caller) {
            throw ServiceError(.forbidden, "Not allowed to \(verb) members for image \(image.id).", cause: refusal)
        }
    }

    private static func absence(of image: ImageID) -> ServiceError {
        ServiceError(.notFound, "Image \(image) not found.")
    }

    // MARK: Exchanges

    /// Runs `body` again when the image was changed between its reading and its writing.
    private func decide<Answer>(_ id: ImageID, _ body: () async throws -> Answer) async throws -> Answer {
        try await Deciding.anew(
            refusal: { $0.code == .notFound && $0.field == nil ? Self.absence(of: id) : ServiceError($0) },
            body
        )
    }
}
