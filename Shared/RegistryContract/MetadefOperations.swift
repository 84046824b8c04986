public import ImageModel
public import WireJSON

// Policy decides by a namespace's owner and visibility. So every change names the revision of the namespace on which it
// was decided, and a namespace that the caller may not see is not found.

/// `metadefs.list`: a page of namespaces, each with its associations and without other content. `notFound` when the
/// marker is none that the caller may see.
public struct ListMetadefs: RegistryOperation {
    public typealias Response = MetadefPage
    public static let name = "metadefs.list"
    public static let effect = RegistryEffect.reads

    public var query: MetadefNamespaceQuery

    public init(query: MetadefNamespaceQuery) { self.query = query }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("limit", query.limit)
            if let marker = query.marker { writer.field("marker", marker) }
            writer.field("sort_key", query.sortKey.rawValue)
            writer.field("sort_dir", query.direction.rawValue)
            if let visibility = query.visibility { writer.field("visibility", visibility.rawValue) }
            if let types = query.resourceTypes { writer.field("resource_types", strings: types) }
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        query = MetadefNamespaceQuery(
            limit: Int(clamping: try members.integer("limit")),
            marker: try members.optionalString("marker"),
            sortKey: try members.word("sort_key"),
            direction: try members.word("sort_dir"),
            visibility: members.object["visibility"] == nil ? nil : try members.word("visibility"),
            resourceTypes: members.object["resource_types"] == nil ? nil : try members.strings("resource_types")
        )
    }
}

public struct MetadefPage: WireCodable, Equatable {
    public var namespaces: [MetadefRecord]

    public init(namespaces: [MetadefRecord]) { self.namespaces = namespaces }

    public func write(to writer: inout JSONWriter) {
        writer.object { $0.field("namespaces", array: namespaces) { $1.write(to: &$0) } }
    }

    public init(json: JSONValue) throws(JSONShapeError) { namespaces = try JSONMembers(json).values("namespaces") }
}

/// `metadefs.show`: a namespace that the caller may see, with the part of its content that is asked for.
public struct ShowMetadefs: RegistryOperation {
    public typealias Response = MetadefRecord
    public static let name = "metadefs.show"
    public static let effect = RegistryEffect.reads

    public var namespace: String
    public var part: MetadefPart

    public init(namespace: String, part: MetadefPart) {
        self.namespace = namespace
        self.part = part
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("namespace", namespace)
            writer.name("part")
            part.write(to: &writer)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        namespace = try members.string("namespace")
        part = try members.value("part")
    }
}

/// `metadefs.create`: a namespace with all its content, or nothing of it. The registry's clock sets the times.
/// `duplicate` when the name is taken, by a namespace that the caller does not see too, or when two parts have one name.
public struct CreateMetadefs: RegistryOperation {
    public typealias Response = MetadefRecord
    public static let name = "metadefs.create"
    public static let effect = RegistryEffect.once

    public var record: MetadefRecord

    public init(record: MetadefRecord) { self.record = record }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("record")
            record.write(to: &writer)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) { record = try JSONMembers(json).value("record") }
}

/// `metadefs.update`: puts a namespace's own fields in the place of those it has; its content stays. `changedMeanwhile`,
/// `duplicate` when it is to have a name that is taken. Answers without content.
public struct UpdateMetadefs: RegistryOperation {
    public typealias Response = MetadefRecord
    public static let name = "metadefs.update"
    public static let effect = RegistryEffect.once

    /// Its name until now.
    public var current: String
    /// What it becomes, at the revision that the caller's decision was based on.
    public var namespace: MetadefNamespace

    public init(current: String, namespace: MetadefNamespace) {
        self.current = current
        self.namespace = namespace
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("current", current)
            writer.name("namespace")
            namespace.write(to: &writer)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        current = try members.string("current")
        namespace = try members.value("namespace")
    }
}

/// `metadefs.delete`: a namespace with all its content. `forbidden` while it is protected, `changedMeanwhile`.
public struct DeleteMetadefs: RegistryOperation {
    public typealias Response = Done
    public static let name = "metadefs.delete"
    public static let effect = RegistryEffect.once

    public var namespace: String
    public var revision: Int64

    public init(namespace: String, revision: Int64) {
        self.namespace = namespace
        self.revision = revision
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("namespace", namespace)
            writer.field("revision", revision)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        namespace = try members.string("namespace")
        revision = try members.integer("revision")
    }
}

/// `metadefs.change`: one change of a namespace's content. Answers with what was added or put, as it is now. `notFound`
/// for what is to be replaced or removed, `duplicate`, `forbidden` to remove from a protected namespace,
/// `changedMeanwhile`.
public struct ChangeMetadefs: RegistryOperation {
    public typealias Response = MetadefRecord
    public static let name = "metadefs.change"
    public static let effect = RegistryEffect.once

    public var namespace: String
    public var revision: Int64
    public var change: MetadefChange

    public init(namespace: String, revision: Int64, change: MetadefChange) {
        self.namespace = namespace
        self.revision = revision
        self.change = change
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("namespace", namespace)
            writer.field("revision", revision)
            writer.name("change")
            change.write(to: &writer)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        namespace = try members.string("namespace")
        revision = try members.integer("revision")
        change = try members.value("change")
    }
}

/// `metadefs.definitions`: what the namespaces in the caller's list say of some properties of resources of one type.
///
/// Each namespace comes with its association with the type and with those properties, of its own or of its objects, whose
/// names on such resources, prefix included, are among the names; a namespace without any is left out.
public struct FindDefinitions: RegistryOperation {
    public typealias Response = MetadefPage
    public static let name = "metadefs.definitions"
    public static let effect = RegistryEffect.reads

    public var resourceType: String
    public var names: [String]

    public init(resourceType: String, names: [String]) {
        self.resourceType = resourceType
        self.names = names
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("type", resourceType)
            writer.field("names", strings: names)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        resourceType = try members.string("type")
        names = try members.strings("names")
    }
}

/// `resource_types.list`: every resource type there is, oldest first.
public struct ListResourceTypes: RegistryOperation {
    public typealias Response = ResourceTypes
    public static let name = "resource_types.list"
    public static let effect = RegistryEffect.reads

    public init() {}
    public func write(to writer: inout JSONWriter) { writer.object { _ in } }
    public init(json: JSONValue) throws(JSONShapeError) { _ = try JSONMembers(json) }
}

public struct ResourceTypes: WireCodable, Equatable {
    public var types: [ResourceType]

    public init(types: [ResourceType]) { self.types = types }

    public func write(to writer: inout JSONWriter) {
        writer.object { $0.field("resource_types", array: types) { $1.write(to: &$0) } }
    }

    public init(json: JSONValue) throws(JSONShapeError) { types = try JSONMembers(json).values("resource_types") }
}
