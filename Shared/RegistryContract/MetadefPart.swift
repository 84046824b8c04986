public import ImageModel
public import WireJSON

/// Which part of a namespace's content is read.
public enum MetadefPart: Sendable, Equatable {
    case nothing
    case everything
    case associations
    case properties
    /// One property by its name. With a resource type: the association with it, and the property whose name is what
    /// follows the association's prefix; either may be missing.
    case property(String, resourceType: String?)
    case objects
    case object(String)
    case tags(MetadefTagQuery)
    case tag(String)
}

extension MetadefPart: WireCodable {
    private enum Word: String {
        case nothing, everything, associations, properties, property, objects, object, tags, tag
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .nothing: writer.field("part", Word.nothing.rawValue)
            case .everything: writer.field("part", Word.everything.rawValue)
            case .associations: writer.field("part", Word.associations.rawValue)
            case .properties: writer.field("part", Word.properties.rawValue)
            case .property(let name, let resourceType):
                writer.field("part", Word.property.rawValue)
                writer.field("name", name)
                if let resourceType { writer.field("resource_type", resourceType) }
            case .objects: writer.field("part", Word.objects.rawValue)
            case .object(let name):
                writer.field("part", Word.object.rawValue)
                writer.field("name", name)
            case .tags(let query):
                writer.field("part", Word.tags.rawValue)
                if let limit = query.limit { writer.field("limit", limit) }
                if let marker = query.marker { writer.field("marker", marker) }
                writer.field("sort_key", query.sortKey.rawValue)
                writer.field("sort_dir", query.direction.rawValue)
            case .tag(let name):
                writer.field("part", Word.tag.rawValue)
                writer.field("name", name)
            }
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        switch try members.word("part", as: Word.self) {
        case .nothing: self = .nothing
        case .everything: self = .everything
        case .associations: self = .associations
        case .properties: self = .properties
        case .property:
            self = .property(
                try members.string("name"),
                resourceType: try members.optionalString("resource_type")
            )
        case .objects: self = .objects
        case .object: self = .object(try members.string("name"))
        case .tags:
            self = .tags(
                MetadefTagQuery(
                    limit: try members.optionalInteger("limit").map { Int(clamping: $0) },
                    marker: try members.optionalString("marker"),
                    sortKey: try members.word("sort_key"),
                    direction: try members.word("sort_dir")
                )
            )
        case .tag: self = .tag(try members.string("name"))
        }
    }
}
