/// What a namespace holds, or the part of it that was asked for; each list in the order in which it was added.
public struct MetadefContent: Sendable, Equatable {
    public var associations: [ResourceTypeAssociation]
    public var properties: [MetadefProperty]
    public var objects: [MetadefObject]
    public var tags: [MetadefTag]

    public init(
        associations: [ResourceTypeAssociation] = [],
        properties: [MetadefProperty] = [],
        objects: [MetadefObject] = [],
        tags: [MetadefTag] = []
    ) {
        self.associations = associations
        self.properties = properties
        self.objects = objects
        self.tags = tags
    }

    /// The words in which a part that is not there is told of.
    public static func absence(of noun: String, _ name: String, from namespace: String) -> String {
        "The metadata definition \(noun) with name '\(name.excerpt)' was not found in namespace '\(namespace.excerpt)'."
    }
}

/// A namespace with its content, or with the part of it that was asked for.
public struct MetadefRecord: Sendable, Equatable {
    public var namespace: MetadefNamespace
    public var content: MetadefContent

    public init(namespace: MetadefNamespace, content: MetadefContent = MetadefContent()) {
        self.namespace = namespace
        self.content = content
    }
}

/// One property definition under its name.
public struct MetadefProperty: Sendable, Equatable {
    public var name: String
    public var definition: MetadefDefinition

    public init(name: String, definition: MetadefDefinition) {
        self.name = name
        self.definition = definition
    }
}

/// A named group of property definitions.
public struct MetadefObject: Sendable, Equatable {
    public var name: String
    public var description: String?
    /// Names of the properties without which the group makes no sense.
    public var required: [String]
    public var properties: [MetadefProperty]
    public var createdAt: Timestamp
    public var updatedAt: Timestamp

    public init(
        name: String,
        description: String? = nil,
        required: [String] = [],
        properties: [MetadefProperty] = [],
        createdAt: Timestamp = Timestamp(microseconds: 0),
        updatedAt: Timestamp = Timestamp(microseconds: 0)
    ) {
        self.name = name
        self.description = description
        self.required = required
        self.properties = properties
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// A word that may be put on a resource.
public struct MetadefTag: Sendable, Equatable {
    public var name: String
    public var createdAt: Timestamp
    public var updatedAt: Timestamp

    public init(
        name: String,
        createdAt: Timestamp = Timestamp(microseconds: 0),
        updatedAt: Timestamp = Timestamp(microseconds: 0)
    ) {
        self.name = name
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
