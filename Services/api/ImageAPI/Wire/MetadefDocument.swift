internal import ImageModel
internal import WireJSON

/// Metadata definitions as the public API shows them (Image API v2, "Metadata definitions"). What is null is left out.
enum MetadefDocument {
    static let namespaces = "/v2/metadefs/namespaces"

    /// As records show it: names stand as they are.
    static func path(of namespace: String) -> String { "\(namespaces)/\(namespace)" }

    /// As a header may carry it (RFC 3986 §3.3): colons stand as they are, as the reference and its clients have them.
    static func location(of namespace: String) -> String {
        let name = RequestTarget.encode(namespace)
        return "\(namespaces)/"
            + name.split(separator: "+", omittingEmptySubsequences: false).joined(separator: "%20")
            .split(separator: "%3A", omittingEmptySubsequences: false).joined(separator: ":")
    }

    /// A namespace; of its content, what there is and was asked for.
    static func write(_ record: MetadefRecord, to writer: inout JSONWriter, echoes: Bool = false) {
        let namespace = record.namespace
        let content = record.content
        writer.object { writer in
            writer.field("namespace", namespace.name)
            if let name = namespace.displayName { writer.field("display_name", name) }
            if let description = namespace.description { writer.field("description", description) }
            writer.field("visibility", namespace.visibility.rawValue)
            writer.field("protected", namespace.protected)
            if let owner = namespace.owner { writer.field("owner", owner) }
            writer.field("self", path(of: namespace.name))
            writer.field("schema", "/v2/schemas/metadefs/namespace")
            writer.field("created_at", namespace.createdAt.text)
            writer.field("updated_at", namespace.updatedAt.text)
            if !content.associations.isEmpty {
                writer.field("resource_type_associations", array: content.associations) {
                    write($1, to: &$0, timed: !echoes)
                }
            }
            if !content.properties.isEmpty { write(content.properties, to: &writer) }
            if !content.objects.isEmpty {
                writer.field("objects", array: content.objects) { write($1, of: namespace.name, to: &$0) }
            }
            if !content.tags.isEmpty { write(content.tags, to: &writer) }
        }
    }

    /// - Parameter echoes: Whether this answers a creation, which shows associations as they were given.
    static func bytes(_ record: MetadefRecord, echoes: Bool = false) -> [UInt8] {
        bytes { write(record, to: &$0, echoes: echoes) }
    }

    /// A page of namespaces, with its links.
    static func bytes(page: [MetadefRecord], links: PageLinks, next: String?) -> [UInt8] {
        bytes { writer in
            writer.object { writer in
                writer.field("namespaces", array: page) { write($1, to: &$0) }
                writer.field("first", links.first)
                if let next { writer.field("next", links.next(after: next)) }
                writer.field("schema", "/v2/schemas/metadefs/namespaces")
            }
        }
    }

    // MARK: Associations

    private static func write(_ association: ResourceTypeAssociation, to writer: inout JSONWriter, timed: Bool = true) {
        writer.object { writer in
            writer.field("name", association.name)
            if let prefix = association.prefix { writer.field("prefix", prefix) }
            if let target = association.propertiesTarget { writer.field("properties_target", target) }
            if timed { times(association.createdAt, association.updatedAt, to: &writer) }
        }
    }

    static func bytes(_ association: ResourceTypeAssociation) -> [UInt8] { bytes { write(association, to: &$0) } }

    static func bytes(list associations: [ResourceTypeAssociation]) -> [UInt8] {
        bytes { $0.object { $0.field("resource_type_associations", array: associations) { write($1, to: &$0) } } }
    }

    static func bytes(types: [ResourceType]) -> [UInt8] {
        bytes { writer in
            writer.object { writer in
                writer.field("resource_types", array: types) { writer, type in
                    writer.object { writer in
                        writer.field("name", type.name)
                        times(type.createdAt, type.updatedAt, to: &writer)
                    }
                }
            }
        }
    }

    // MARK: Properties

    private static func write(_ properties: [MetadefProperty], to writer: inout JSONWriter) {
        writer.field(
            "properties",
            object: { writer in
                for property in properties { writer.field(property.name, .object(property.definition.keywords)) }
            }
        )
    }

    static func bytes(_ property: MetadefProperty) -> [UInt8] {
        bytes { writer in
            writer.object { writer in
                writer.field("name", property.name)
                for (keyword, value) in property.definition.keywords.members { writer.field(keyword, value) }
            }
        }
    }

    static func bytes(list properties: [MetadefProperty]) -> [UInt8] {
        bytes { $0.object { write(properties, to: &$0) } }
    }

    // MARK: Objects

    private static func write(_ object: MetadefObject, of namespace: String, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("name", object.name)
            if let description = object.description { writer.field("description", description) }
            writer.field("required", strings: object.required)
            write(object.properties, to: &writer)
            writer.field("self", "\(path(of: namespace))/objects/\(object.name)")
            writer.field("schema", "/v2/schemas/metadefs/object")
            times(object.createdAt, object.updatedAt, to: &writer)
        }
    }

    static func bytes(_ object: MetadefObject, of namespace: String) -> [UInt8] {
        bytes { write(object, of: namespace, to: &$0) }
    }

    /// All objects of a namespace. The link has no slash in front, as in the reference.
    static func bytes(list objects: [MetadefObject], of namespace: String) -> [UInt8] {
        bytes { writer in
            writer.object { writer in
                writer.field("objects", array: objects) { write($1, of: namespace, to: &$0) }
                writer.field("schema", "v2/schemas/metadefs/objects")
            }
        }
    }

    // MARK: Tags

    private static func write(_ tags: [MetadefTag], to writer: inout JSONWriter) {
        writer.field("tags", array: tags) { writer, tag in writer.object { $0.field("name", tag.name) } }
    }

    static func bytes(_ tag: MetadefTag) -> [UInt8] {
        bytes { writer in
            writer.object { writer in
                writer.field("name", tag.name)
                times(tag.createdAt, tag.updatedAt, to: &writer)
            }
        }
    }

    static func bytes(list tags: [MetadefTag]) -> [UInt8] { bytes { $0.object { write(tags, to: &$0) } } }

    // MARK: Parts

    private static func times(_ createdAt: Timestamp, _ updatedAt: Timestamp, to writer: inout JSONWriter) {
        writer.field("created_at", createdAt.text)
        writer.field("updated_at", updatedAt.text)
    }

    private static func bytes(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        write(&writer)
        return writer.bytes
    }
}
