public import ImageModel
internal import WireJSON

/// What a rule is asked about: the values that `%(name)s` stands for in a rule (Glance, "Policy targets").
public struct PolicyTarget: Sendable {
    /// `project_id` and `owner`: the project that owns the image, or will.
    public let owner: String?
    /// `nil` where no image is at hand.
    public let visibility: Visibility?
    /// The caller's project where the image is shared and somebody else's, otherwise `nil`.
    ///
    /// Whether that project really is a member is not asked here: an image shared with others is not found at all.
    public let memberID: String?

    private let image: Image?
    /// Whether anything is asked about at all: where nothing is, no key has a value.
    private let isEmpty: Bool

    /// An image that exists, as this caller meets it.
    public init(image: Image, caller: Caller) {
        owner = image.owner
        visibility = image.visibility
        memberID = image.visibility == .shared && caller.project != image.owner ? caller.project : nil
        self.image = image
        isEmpty = false
    }

    /// An image that is about to be created.
    public init(proposedOwner: String?, visibility: Visibility) {
        self.init(owner: proposedOwner, visibility: visibility)
    }

    /// A namespace of metadata definitions, for itself and for all that it holds.
    public init(namespace: MetadefNamespace) {
        self.init(owner: namespace.owner, visibility: namespace.visibility == .public ? .public : .private)
    }

    /// The caller's own project, for what concerns no image in particular (`get_images`).
    public static func project(of caller: Caller) -> PolicyTarget {
        PolicyTarget(owner: caller.project, visibility: nil)
    }

    /// Nothing, for the cache, tasks and discovery.
    public static let none = PolicyTarget(owner: nil, visibility: nil, isEmpty: true)

    private init(owner: String?, visibility: Visibility?, isEmpty: Bool = false) {
        self.owner = owner
        self.visibility = visibility
        memberID = nil
        image = nil
        self.isEmpty = isEmpty
    }

    /// The text that `%(key)s` stands for: null is `None`, truth is `True` or `False`, and any other name is a custom
    /// property of the image.
    ///
    /// - Returns: `nil` for a key that the target has not; a check that names it fails. Locations are never there.
    public subscript(key: String) -> String? {
        switch key {
        case "project_id", "owner": return isEmpty ? nil : text(owner)
        case "member_id": return image == nil ? nil : text(memberID)
        case "visibility": return visibility?.rawValue
        default: break
        }
        guard let image else { return nil }
        switch key {
        case "id", "image_id": return image.id.text
        case "name": return text(image.name)
        case "status": return image.status.rawValue
        case "protected": return text(image.protected)
        case "os_hidden": return text(image.hidden)
        case "container_format": return text(image.containerFormat)
        case "disk_format": return text(image.diskFormat)
        case "min_disk": return String(image.minDisk)
        case "min_ram": return String(image.minRAM)
        case "size": return text(image.size.map { String($0) })
        case "virtual_size": return text(image.virtualSize.map { String($0) })
        case "checksum": return text(image.checksum)
        case "os_hash_algo": return text(image.hashAlgorithm)
        case "os_hash_value": return text(image.hashValue)
        case "locations": return nil
        default:
            guard let value = image.properties[key] else { return nil }
            return text(value)
        }
    }

    /// All of it for another service; locations are left out.
    var json: JSONObject {
        var object = JSONObject()
        guard !isEmpty else { return object }
        for (name, value) in image?.properties.sorted(by: { $0.key < $1.key }) ?? [] { object[name] = json(value) }
        object["project_id"] = json(owner)
        object["owner"] = json(owner)
        if let visibility { object["visibility"] = .string(visibility.rawValue) }
        guard let image else { return object }
        object["member_id"] = json(memberID)
        object["id"] = .string(image.id.text)
        object["image_id"] = .string(image.id.text)
        object["name"] = json(image.name)
        object["status"] = .string(image.status.rawValue)
        object["protected"] = .bool(image.protected)
        object["os_hidden"] = .bool(image.hidden)
        object["container_format"] = json(image.containerFormat)
        object["disk_format"] = json(image.diskFormat)
        object["min_disk"] = .integer(image.minDisk)
        object["min_ram"] = .integer(image.minRAM)
        object["size"] = image.size.map { .integer($0) } ?? .null
        object["virtual_size"] = image.virtualSize.map { .integer($0) } ?? .null
        object["checksum"] = json(image.checksum)
        object["os_hash_algo"] = json(image.hashAlgorithm)
        object["os_hash_value"] = json(image.hashValue)
        object["tags"] = .array(image.tags.map { .string($0) })
        return object
    }

    private func json(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    private func text(_ value: String?) -> String { value ?? "None" }
    private func text(_ value: Bool) -> String { value ? "True" : "False" }
}
