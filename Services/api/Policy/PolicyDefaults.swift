private let admin = "rule:context_is_admin"
private let owner = "project_id:%(project_id)s"
private let member = "role:member and \(owner)"
private let reader = "role:reader and \(owner)"
private let visible =
    "\(owner) or project_id:%(member_id)s or 'community':%(visibility)s or 'public':%(visibility)s or "
    + "'shared':%(visibility)s"
private let definitionVisible = "role:reader and (\(owner) or 'public':%(visibility)s)"

/// The table of defaults (Glance, "Policy defaults").
extension PolicyDefault {
    static let base: [PolicyDefault] = [
        PolicyDefault(
            .default,
            "",
            "answers for rules that are not defined",
            isForProjects: false,
            former: admin,
            until: "Ussuri"
        ),
        PolicyDefault(.contextIsAdmin, "role:admin", "who is an administrator", isForProjects: false),
        PolicyDefault(
            .serviceAPI,
            "role:service or role:admin",
            "calls of other services",
            isForProjects: false
        ),
    ]

    static let images: [PolicyDefault] = [
        image(.addImage, "\(admin) or (\(member) and project_id:%(owner)s)", "create an image"),
        image(.deleteImage, "\(admin) or (\(member))", "delete an image"),
        image(.getImage, "\(admin) or (role:reader and (\(visible)))", "show an image; what it denies is not found"),
        image(.getImages, "\(admin) or (\(reader))", "list images"),
        image(.modifyImage, "\(admin) or (\(member))", "change an image and its tags, stage and import data"),
        PolicyDefault(.publicizeImage, admin, "make an image public"),
        image(.communitizeImage, "\(admin) or (\(member))", "make an image a community image"),
        image(.downloadImage, "\(admin) or (role:member and (\(visible)))", "download an image's data"),
        PolicyDefault(
            .downloadFromStore,
            "\(admin) or (role:member and (\(visible)))",
            "download an image's data from a chosen store"
        ),
        image(.uploadImage, "\(admin) or (\(member))", "upload an image's data"),
        image(.getImageLocation, "\(admin) or (\(reader))", "see where an image's data is"),
        image(.setImageLocation, "\(admin) or (\(member))", "add and replace locations by a change"),
        image(.deleteImageLocation, admin, "remove locations, and data from a store"),
        PolicyDefault(.addImageLocation, "rule:service_api or (\(member) and project_id:%(owner)s)", "add a location"),
        PolicyDefault(.fetchImageLocation, "rule:service_api", "fetch all locations"),
    ]

    static let members: [PolicyDefault] = [
        image(.addMember, "\(admin) or (\(member))", "share an image with a project"),
        image(.deleteMember, "\(admin) or (\(member))", "no longer share an image with a project"),
        image(
            .getMember,
            "\(admin) or role:reader and (\(owner) or project_id:%(member_id)s)",
            "show a project that an image is shared with"
        ),
        image(
            .getMembers,
            "\(admin) or role:reader and (\(owner) or project_id:%(member_id)s)",
            "list the projects that an image is shared with"
        ),
        // The owner is not included: whether to accept is the other project's decision.
        image(
            .modifyMember,
            "\(admin) or (role:member and project_id:%(member_id)s)",
            "accept or reject an image that is shared"
        ),
        image(.deactivate, "\(admin) or (\(member))", "deactivate an image"),
        image(.reactivate, "\(admin) or (\(member))", "reactivate an image"),
        PolicyDefault(.copyImage, admin, "copy data of somebody else's image to more stores"),
    ]

    static let administration: [PolicyDefault] = [
        PolicyDefault(.manageImageCache, admin, "manage the cache by its old paths"),
        PolicyDefault(.listCachedNodes, admin, "list the nodes that hold an image in their caches"),
        cache(.cacheImage, "queue an image for the cache"),
        cache(.cacheList, "list the cache"),
        cache(.cacheDelete, "remove images from the cache"),
        PolicyDefault(.cacheClean, admin, "clean the cache of incomplete files"),
        PolicyDefault(.cachePrune, admin, "prune the cache to its size"),
        PolicyDefault(
            .storesInfoDetail,
            "\(admin) or rule:service_api",
            "see the details of stores",
            former: admin,
            until: "2025.1"
        ),
        PolicyDefault(.tasksAPIAccess, admin, "every call of the task API"),
        task(.getTask, former: "Xena"),
        task(.getTasks, former: "Xena"),
        task(.addTask, former: "Xena"),
        task(.modifyTask, former: nil),
    ]

    static let metadefs: [PolicyDefault] = [
        PolicyDefault(.metadefDefault, "", "what metadata definitions were read by before Xena", isForProjects: false),
        PolicyDefault(.metadefAdmin, admin, "who changes metadata definitions", isForProjects: false),
        definition(.getMetadefNamespace, "show a namespace; what it denies is not found"),
        PolicyDefault(
            .getMetadefNamespaces,
            "\(admin) or (\(reader))",
            "list namespaces",
            former: "rule:metadef_default",
            until: "Xena"
        ),
        change(.addMetadefNamespace, "create a namespace"),
        change(.modifyMetadefNamespace, "change a namespace"),
        change(.deleteMetadefNamespace, "delete a namespace"),
        definition(.getMetadefObject, "show an object of a namespace"),
        definition(.getMetadefObjects, "list the objects of a namespace"),
        change(.addMetadefObject, "create an object"),
        change(.modifyMetadefObject, "change an object"),
        change(.deleteMetadefObject, "delete an object"),
        definition(.listMetadefResourceTypes, "list resource types"),
        definition(.getMetadefResourceType, "list the resource types of a namespace"),
        change(.addMetadefResourceTypeAssociation, "associate a resource type with a namespace"),
        change(.removeMetadefResourceTypeAssociation, "end such an association"),
        definition(.getMetadefProperty, "show a property of a namespace"),
        definition(.getMetadefProperties, "list the properties of a namespace"),
        change(.addMetadefProperty, "create a property"),
        change(.modifyMetadefProperty, "change a property"),
        change(.removeMetadefProperty, "delete a property"),
        definition(.getMetadefTag, "show a tag of a namespace"),
        definition(.getMetadefTags, "list the tags of a namespace"),
        change(.addMetadefTag, "create a tag"),
        change(.addMetadefTags, "create several tags"),
        change(.modifyMetadefTag, "rename a tag"),
        change(.deleteMetadefTag, "delete a tag"),
        change(.deleteMetadefTags, "delete all tags of a namespace"),
    ]

    private static func image(_ rule: PolicyRule, _ check: String, _ purpose: String) -> PolicyDefault {
        PolicyDefault(rule, check, purpose, former: "rule:default", until: "Wallaby")
    }

    private static func cache(_ rule: PolicyRule, _ purpose: String) -> PolicyDefault {
        PolicyDefault(rule, admin, purpose, former: "rule:manage_image_cache", until: "Xena")
    }

    private static func task(_ rule: PolicyRule, former release: String?) -> PolicyDefault {
        PolicyDefault(
            rule,
            "rule:default",
            "nothing: tasks_api_access guards tasks",
            former: release.map { _ in "rule:default" },
            until: release ?? ""
        )
    }

    private static func definition(_ rule: PolicyRule, _ purpose: String) -> PolicyDefault {
        PolicyDefault(
            rule,
            "\(admin) or (\(definitionVisible))",
            purpose,
            former: "rule:metadef_default",
            until: "Xena"
        )
    }

    private static func change(_ rule: PolicyRule, _ purpose: String) -> PolicyDefault {
        PolicyDefault(rule, "rule:metadef_admin", purpose)
    }
}
