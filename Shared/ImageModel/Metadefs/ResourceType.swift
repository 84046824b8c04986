/// A kind of resource that definitions can be about, such as `OS::Glance::Image`. It belongs to no namespace and is never
/// deleted by clients.
public struct ResourceType: Sendable, Equatable {
    public var name: String
    /// Came with the catalogue rather than with somebody's association; only informative.
    public var protected: Bool
    public var createdAt: Timestamp
    public var updatedAt: Timestamp

    public init(name: String, protected: Bool, createdAt: Timestamp, updatedAt: Timestamp) {
        self.name = name
        self.protected = protected
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// That a namespace is about a kind of resource.
public struct ResourceTypeAssociation: Sendable, Equatable {
    /// The resource type's name.
    public var name: String
    /// What is put in front of the names of properties on resources of this type, separator included: `hw_`.
    public var prefix: String?
    /// Where on the resource the properties go, such as `image` or `scheduler_hints`.
    public var propertiesTarget: String?
    public var createdAt: Timestamp
    public var updatedAt: Timestamp

    public init(
        name: String,
        prefix: String? = nil,
        propertiesTarget: String? = nil,
        createdAt: Timestamp = Timestamp(microseconds: 0),
        updatedAt: Timestamp = Timestamp(microseconds: 0)
    ) {
        self.name = name
        self.prefix = prefix
        self.propertiesTarget = propertiesTarget
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
