/// A namespace of the metadata definitions catalogue: it owns properties, objects, tags and associations with resource
/// types, which all have its owner, visibility and protection (Image API v2, "Metadata definitions").
public struct MetadefNamespace: Sendable, Equatable {
    public enum Visibility: String, Sendable, CaseIterable {
        case `public`
        case `private`
    }

    /// Unique among all namespaces, whoever sees them.
    public var name: String
    public var displayName: String?
    public var description: String?
    public var visibility: Visibility
    /// Nothing of it can be deleted, by administrators neither; changes and additions are allowed.
    public var protected: Bool
    /// `nil` is visible to everybody by its name.
    public var owner: String?
    public var createdAt: Timestamp
    public var updatedAt: Timestamp
    /// Grows with every change of the fields above, and not with its content: what policy decides by.
    public var revision: Int64

    public init(
        name: String,
        displayName: String? = nil,
        description: String? = nil,
        visibility: Visibility = .private,
        protected: Bool = false,
        owner: String? = nil,
        createdAt: Timestamp = Timestamp(microseconds: 0),
        updatedAt: Timestamp = Timestamp(microseconds: 0),
        revision: Int64 = 0
    ) {
        self.name = name
        self.displayName = displayName
        self.description = description
        self.visibility = visibility
        self.protected = protected
        self.owner = owner
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.revision = revision
    }

    /// The words in which a namespace that is not there, or may not be seen, is told of.
    public static func absence(of name: String) -> String {
        "Metadata definition namespace '\(name.excerpt)' was not found."
    }
}
