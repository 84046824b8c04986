internal import ImageModel

/// The rules that hold while no policy file says otherwise (Glance, "Policy defaults", with `enforce_new_defaults`).
enum PolicyDefaults {
    /// `context_is_admin`: `role:admin`.
    static func isAdmin(roles: Set<String>) -> Bool { roles.contains("admin") }

    /// Whether the default of `rule` holds.
    ///
    /// No project owns nothing: where the caller acts in no project's name, no comparison with a project succeeds, even
    /// if the image has no owner either. The rule language alone would call two nulls equal; Keystone gives no roles
    /// without a scope, so this bites only who invents such a caller.
    static func allows(_ rule: PolicyRule, _ target: PolicyTarget, _ caller: Caller) -> Bool {
        // `rule:context_is_admin`, which every rule below begins with or implies: identity has asked it already.
        if caller.isAdmin { return true }

        let isReader = caller.roles.contains("reader")
        let isMember = caller.roles.contains("member")
        let isService = caller.roles.contains("service") || caller.roles.contains("admin")
        let owns = caller.project != nil && caller.project == target.owner
        let isShared = caller.project != nil && caller.project == target.memberID

        switch rule {
        case .addImage, .deleteImage, .modifyImage, .communitizeImage, .uploadImage, .setImageLocation, .addMember,
            .deleteMember, .deactivate, .reactivate:
            return isMember && owns
        case .getImages, .getImageLocation:
            return isReader && owns
        case .getImage:
            return isReader && (owns || isShared || target.isOpen)
        case .downloadImage, .downloadFromStore:
            return isMember && (owns || isShared || target.isOpen)
        case .getMember, .getMembers:
            return isReader && (owns || isShared)
        case .modifyMember:
            // The owner is not included: whether to accept is the other project's decision.
            return isMember && isShared
        case .addImageLocation:
            return isService || (isMember && owns)
        case .fetchImageLocation, .storesInfoDetail:
            return isService
        case .getTask, .getTasks, .addTask, .modifyTask:
            // `rule:default`, which is empty; `tasks_api_access` has been asked before.
            return true
        case .publicizeImage, .deleteImageLocation, .copyImage, .manageImageCache, .listCachedNodes, .cacheImage,
            .cacheList, .cacheDelete, .cacheClean, .cachePrune, .tasksAPIAccess:
            return false
        case .getMetadefNamespaces:
            return isReader && owns
        case .getMetadefNamespace, .getMetadefObjects, .getMetadefObject, .getMetadefProperties, .getMetadefProperty,
            .listMetadefResourceTypes, .getMetadefResourceType, .getMetadefTags, .getMetadefTag:
            return isReader && (owns || target.visibility == .public)
        case .addMetadefNamespace, .modifyMetadefNamespace, .deleteMetadefNamespace, .addMetadefObject,
            .modifyMetadefObject, .deleteMetadefObject, .addMetadefProperty, .modifyMetadefProperty,
            .removeMetadefProperty, .addMetadefResourceTypeAssociation, .removeMetadefResourceTypeAssociation,
            .addMetadefTags, .addMetadefTag, .modifyMetadefTag, .deleteMetadefTag, .deleteMetadefTags:
            // `rule:metadef_admin`.
            return false
        }
    }
}

extension PolicyTarget {
    /// Visible to more than the owner. `shared` is among them: who is no member does not find the image at all.
    fileprivate var isOpen: Bool {
        switch visibility {
        case .public, .community, .shared: true
        case .private, nil: false
        }
    }
}
