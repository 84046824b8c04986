public import WireJSON

/// An image as a client asks for it (Image API v2, "Create image").
///
/// The rules run in the order in which the API answers: reading the draft checks names and schema; the caller then asks
/// its policy; ``requireValidFields()`` and ``ImageLimits`` follow.
public struct ImageDraft: Sendable, Equatable {
    /// Whom a client wants as owner.
    public enum Owner: Sendable, Equatable {
        /// Nobody was named: the caller's project.
        case unspecified
        /// A project, or expressly none.
        case given(String?)
    }

    public var id: ImageID?
    public var name: String?
    public var visibility: Visibility = .shared
    public var protected = false
    public var hidden = false
    public var owner: Owner = .unspecified
    public var containerFormat: String?
    public var diskFormat: String?
    public var minDisk: Int64 = 0
    public var minRAM: Int64 = 0
    /// Distinct, in the order in which they were given.
    public var tags: [String] = []
    /// Custom properties by name. A declared property may be null.
    public var properties: [String: String?] = [:]

    /// - Throws: ``ServiceError``: `forbidden` for a name that is read-only or reserved, `invalidRequest` for a body
    ///   that does not fit the schema or a custom name too long.
    public init(parsing body: JSONObject, schema: ImageSchema) throws(ServiceError) {
        for member in body.members { try PropertyName(member.name).requireNotComputed() }
        try schema.validate(create: body)
        for member in body.members { try PropertyName(member.name).requireCreatable() }
        for (name, value) in body.members {
            if let field = ImageField(rawValue: name) {
                set(try ImageFieldValue(field, validated: value))
            } else if name == "id" {
                id = value.stringValue.flatMap(ImageID.init)
            } else {
                guard properties[name] == nil else {
                    throw ServiceError(.invalidRequest, PropertyName(name).resemblance)
                }
                properties.updateValue(value.stringValue, forKey: name)
            }
        }
    }

    private mutating func set(_ value: ImageFieldValue) {
        switch value {
        case .name(let value): name = value
        case .visibility(let value): visibility = value
        case .protected(let value): protected = value
        case .hidden(let value): hidden = value
        case .owner(let value): owner = .given(value)
        case .containerFormat(let value): containerFormat = value
        case .diskFormat(let value): diskFormat = value
        case .minDisk(let value): minDisk = value
        case .minRAM(let value): minRAM = value
        case .tags(let value): tags = Image.distinctTags(value)
        }
    }

    /// - Throws: ``ServiceError`` (`invalidRequest`).
    public func requireValidFields() throws(ServiceError) {
        try ImageFieldValue.minDisk(minDisk).requireInRange()
        try ImageFieldValue.minRAM(minRAM).requireInRange()
    }

    /// - Throws: ``ServiceError`` (`limitExceeded`).
    public func requireRoom(within limits: ImageLimits) throws(ServiceError) {
        try limits.requireRoom(forTags: tags.count)
        try limits.requireRoom(forProperties: properties.keys)
    }

    /// The project that will own the image. Only an administrator creates for others, or for nobody.
    ///
    /// - Throws: ``ServiceError`` (`forbidden`).
    public func owner(for caller: Caller) throws(ServiceError) -> String? {
        switch owner {
        case .unspecified: return caller.project
        case .given(let project) where caller.isAdmin: return project
        case .given(let project):
            guard let project, project == caller.project else {
                // The reference is written in Python, and clients know its word for nobody.
                let shown = project?.excerpt ?? "None"
                throw ServiceError(.forbidden, "You are not permitted to create images owned by '\(shown)'")
            }
            return project
        }
    }

    /// The new record, still without data.
    ///
    /// - Parameters:
    ///   - newID: Used where the draft names no id.
    ///   - owner: As ``owner(for:)`` answers.
    ///   - now: When the image is created.
    /// - Returns: An image in status `queued`.
    public func image(newID: @autoclosure () -> ImageID, owner: String?, now: Timestamp) -> Image {
        Image(
            id: id ?? newID(),
            name: name,
            visibility: visibility,
            protected: protected,
            hidden: hidden,
            owner: owner,
            containerFormat: containerFormat,
            diskFormat: diskFormat,
            minDisk: minDisk,
            minRAM: minRAM,
            createdAt: now,
            updatedAt: now,
            tags: tags,
            properties: properties
        )
    }
}
