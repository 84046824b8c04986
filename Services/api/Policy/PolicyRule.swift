/// The rules of the image service, under the names that a policy file uses (Glance, "Policy defaults").
public enum PolicyRule: String, CaseIterable, Sendable {
    // What other rules are made of.
    case `default`
    case contextIsAdmin = "context_is_admin"
    case serviceAPI = "service_api"

    // Images.
    case addImage = "add_image"
    case deleteImage = "delete_image"
    case getImage = "get_image"
    case getImages = "get_images"
    case modifyImage = "modify_image"
    case publicizeImage = "publicize_image"
    case communitizeImage = "communitize_image"
    case downloadImage = "download_image"
    case downloadFromStore = "download_from_store"
    case uploadImage = "upload_image"

    // Locations.
    case getImageLocation = "get_image_location"
    case setImageLocation = "set_image_location"
    case deleteImageLocation = "delete_image_location"
    case addImageLocation = "add_image_location"
    case fetchImageLocation = "fetch_image_location"

    // Members.
    case addMember = "add_member"
    case deleteMember = "delete_member"
    case getMember = "get_member"
    case getMembers = "get_members"
    case modifyMember = "modify_member"

    // Actions and imports.
    case deactivate
    case reactivate
    case copyImage = "copy_image"

    // The cache of image data.
    case manageImageCache = "manage_image_cache"
    case listCachedNodes = "list_cached_nodes"
    case cacheImage = "cache_image"
    case cacheList = "cache_list"
    case cacheDelete = "cache_delete"
    case cacheClean = "cache_clean"
    case cachePrune = "cache_prune"

    // Discovery and tasks.
    case storesInfoDetail = "stores_info_detail"
    case tasksAPIAccess = "tasks_api_access"
    case getTask = "get_task"
    case getTasks = "get_tasks"
    case addTask = "add_task"
    case modifyTask = "modify_task"

    // Metadata definitions.
    case metadefDefault = "metadef_default"
    case metadefAdmin = "metadef_admin"
    case getMetadefNamespace = "get_metadef_namespace"
    case getMetadefNamespaces = "get_metadef_namespaces"
    case addMetadefNamespace = "add_metadef_namespace"
    case modifyMetadefNamespace = "modify_metadef_namespace"
    case deleteMetadefNamespace = "delete_metadef_namespace"
    case getMetadefObject = "get_metadef_object"
    case getMetadefObjects = "get_metadef_objects"
    case addMetadefObject = "add_metadef_object"
    case modifyMetadefObject = "modify_metadef_object"
    case deleteMetadefObject = "delete_metadef_object"
    case listMetadefResourceTypes = "list_metadef_resource_types"
    case getMetadefResourceType = "get_metadef_resource_type"
    case addMetadefResourceTypeAssociation = "add_metadef_resource_type_association"
    case removeMetadefResourceTypeAssociation = "remove_metadef_resource_type_association"
    case getMetadefProperty = "get_metadef_property"
    case getMetadefProperties = "get_metadef_properties"
    case addMetadefProperty = "add_metadef_property"
    case modifyMetadefProperty = "modify_metadef_property"
    case removeMetadefProperty = "remove_metadef_property"
    case getMetadefTag = "get_metadef_tag"
    case getMetadefTags = "get_metadef_tags"
    case addMetadefTag = "add_metadef_tag"
    case addMetadefTags = "add_metadef_tags"
    case modifyMetadefTag = "modify_metadef_tag"
    case deleteMetadefTag = "delete_metadef_tag"
    case deleteMetadefTags = "delete_metadef_tags"
}
