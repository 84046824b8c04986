public import ImageModel
public import WireJSON

// The catalogue between the services: times in microseconds. The public form is ImageAPI's (`MetadefDocument`).

extension MetadefNamespace: WireCodable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("namespace", name)
            if let displayName { writer.field("display_name", displayName) }
            if let description { writer.field("description", description) }
            writer.field("visibility", visibility.rawValue)
            writer.field("protected", protected)
            if let owner { writer.field("owner", owner) }
            writer.times(createdAt, updatedAt)
            writer.field("revision", revision)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        self.init(
            name: try members.string("namespace"),
            displayName: try members.optionalString("display_name"),
            description: try members.optionalString("description"),
            visibility: try members.word("visibility"),
            protected: try members.bool("protected"),
            owner: try members.optionalString("owner"),
            createdAt: try members.time("created_at"),
            updatedAt: try members.time("updated_at"),
            revision: try members.integer("revision")
        )
    }
}

extension ResourceTypeAssociation: WireCodable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("name", name)
            if let prefix { writer.field("prefix", prefix) }
            if let propertiesTarget { writer.field("properties_target", propertiesTarget) }
            writer.times(createdAt, updatedAt)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        self.init(
            name: try members.string("name"),
            prefix: try members.optionalString("prefix"),
            propertiesTarget: try members.optionalString("properties_target"),
            createdAt: try members.time("created_at"),
            updatedAt: try members.time("updated_at")
        )
    }
}

extension MetadefProperty: WireCodable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("name", name)
            writer.field("definition", .object(definition.keywords))
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        guard let keywords = members.object["definition"]?.objectValue else {
            throw JSONShapeError(member: "definition", reason: "is no object")
        }
        self.init(name: try members.string("name"), definition: MetadefDefinition(keywords))
    }
}

extension MetadefObject: WireCodable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("name", name)
            if let description { writer.field("description", description) }
            writer.field("required", strings: required)
            writer.field("properties", array: properties) { $1.write(to: &$0) }
            writer.times(createdAt, updatedAt)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        self.init(
            name: try members.string("name"),
            description: try members.optionalString("description"),
            required: try members.strings("required"),
            properties: try members.values("properties"),
            createdAt: try members.time("created_at"),
            updatedAt: try members.time("updated_at")
        )
    }
}

extension MetadefTag: WireCodable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("name", name)
            writer.times(createdAt, updatedAt)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        self.init(
            name: try members.string("name"),
            createdAt: try members.time("created_at"),
            updatedAt: try members.time("updated_at")
        )
    }
}

extension ResourceType: WireCodable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("name", name)
            writer.field("protected", protected)
            writer.times(createdAt, updatedAt)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        self.init(
            name: try members.string("name"),
            protected: try members.bool("protected"),
            createdAt: try members.time("created_at"),
            updatedAt: try members.time("updated_at")
        )
    }
}

extension MetadefRecord: WireCodable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("namespace")
            namespace.write(to: &writer)
            writer.field("resource_type_associations", array: content.associations) { $1.write(to: &$0) }
            writer.field("properties", array: content.properties) { $1.write(to: &$0) }
            writer.field("objects", array: content.objects) { $1.write(to: &$0) }
            writer.field("tags", array: content.tags) { $1.write(to: &$0) }
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        self.init(
            namespace: try members.value("namespace"),
            content: MetadefContent(
                associations: try members.values("resource_type_associations"),
                properties: try members.values("properties"),
                objects: try members.values("objects"),
                tags: try members.values("tags")
            )
        )
    }
}

extension JSONWriter {
    fileprivate mutating func times(_ createdAt: Timestamp, _ updatedAt: Timestamp) {
        field("created_at", createdAt.microseconds)
        field("updated_at", updatedAt.microseconds)
    }
}

extension JSONMembers {
    fileprivate func time(_ name: String) throws(JSONShapeError) -> Timestamp {
        Timestamp(microseconds: try integer(name))
    }
}
