/// A page of namespaces (Image API v2, "Namespace list").
public struct MetadefNamespaceQuery: Sendable, Equatable {
    /// The raw value is the field's name in the API. Nulls sort as the empty text.
    public enum SortKey: String, Sendable, CaseIterable {
        case id, namespace
        case displayName = "display_name"
        case description, visibility, protected, owner
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    public var limit: Int
    /// The name of the namespace after which the page begins.
    public var marker: String?
    /// Equal values are sorted by creation, in the same direction.
    public var sortKey: SortKey
    public var direction: ImageSort.Direction
    public var visibility: MetadefNamespace.Visibility?
    /// Namespaces that are associated with any of these; `nil` for all.
    public var resourceTypes: [String]?

    public init(
        limit: Int,
        marker: String? = nil,
        sortKey: SortKey = .createdAt,
        direction: ImageSort.Direction = .descending,
        visibility: MetadefNamespace.Visibility? = nil,
        resourceTypes: [String]? = nil
    ) {
        self.limit = limit
        self.marker = marker
        self.sortKey = sortKey
        self.direction = direction
        self.visibility = visibility
        self.resourceTypes = resourceTypes
    }
}

/// Which tags of a namespace, in which order.
public struct MetadefTagQuery: Sendable, Equatable {
    public enum SortKey: String, Sendable, CaseIterable {
        case id, name
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    /// `nil` for all.
    public var limit: Int?
    /// The name of the tag after which the list begins.
    public var marker: String?
    public var sortKey: SortKey
    public var direction: ImageSort.Direction

    public init(
        limit: Int? = nil,
        marker: String? = nil,
        sortKey: SortKey = .createdAt,
        direction: ImageSort.Direction = .descending
    ) {
        self.limit = limit
        self.marker = marker
        self.sortKey = sortKey
        self.direction = direction
    }
}
