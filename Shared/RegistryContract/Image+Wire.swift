public import ImageModel
public import WireJSON

// The record between the services: whole, times in microseconds. The public form is ImageAPI's (`ImageDocument`).

extension Image: WireCodable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writeMembers(to: &$0) }
    }

    func writeMembers(to writer: inout JSONWriter) {
        writer.field("id", id.text)
        writer.field("name", name)
        writer.field("status", status.rawValue)
        writer.field("visibility", visibility.rawValue)
        writer.field("protected", protected)
        writer.field("os_hidden", hidden)
        writer.field("owner", owner)
        writer.field("container_format", containerFormat)
        writer.field("disk_format", diskFormat)
        writer.field("min_disk", minDisk)
        writer.field("min_ram", minRAM)
        writer.field("size", size)
        writer.field("virtual_size", virtualSize)
        writer.field("checksum", checksum)
        writer.field("os_hash_algo", hashAlgorithm)
        writer.field("os_hash_value", hashValue)
        writer.field("created_at", createdAt.microseconds)
        writer.field("updated_at", updatedAt.microseconds)
        writer.field("tags", strings: tags)
        writer.field(
            "properties",
            object: { writer in
                for (name, value) in properties { writer.field(name, value) }
            }
        )
        writer.field("locations", array: locations) { $1.write(to: &$0) }
        if !damaged.isEmpty { writer.field("damaged", strings: damaged.sorted()) }
        writer.field("revision", revision)
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        var properties: [String: String?] = [:]
        for (name, value) in try members.object(named: "properties").members {
            switch value {
            case .string(let text): properties[name] = .some(text)
            case .null: properties[name] = .some(nil)
            default: throw JSONShapeError(member: name, reason: "is neither a string nor null")
            }
        }
        self.init(
            id: try members.imageID("id"),
            name: try members.optionalString("name"),
            status: try members.word("status"),
            visibility: try members.word("visibility"),
            protected: try members.bool("protected"),
            hidden: try members.bool("os_hidden"),
            owner: try members.optionalString("owner"),
            containerFormat: try members.optionalString("container_format"),
            diskFormat: try members.optionalString("disk_format"),
            minDisk: try members.integer("min_disk"),
            minRAM: try members.integer("min_ram"),
            size: try members.optionalInteger("size"),
            virtualSize: try members.optionalInteger("virtual_size"),
            checksum: try members.optionalString("checksum"),
            hashAlgorithm: try members.optionalString("os_hash_algo"),
            hashValue: try members.optionalString("os_hash_value"),
            createdAt: Timestamp(microseconds: try members.integer("created_at")),
            updatedAt: Timestamp(microseconds: try members.integer("updated_at")),
            tags: try members.strings("tags"),
            properties: properties,
            locations: try members.values("locations"),
            damaged: members.object["damaged"] == nil ? [] : Set(try members.strings("damaged")),
            revision: try members.integer("revision")
        )
    }
}

extension ImageLocation: WireCodable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("url", url)
            writer.field("metadata", .object(metadata))
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        self.init(url: try members.string("url"), metadata: try members.object(named: "metadata"))
    }
}

extension JSONMembers {
    /// An image's id.
    func imageID(_ name: String) throws(JSONShapeError) -> ImageID {
        guard let id = ImageID(try string(name)) else { throw JSONShapeError(member: name, reason: "is no UUID") }
        return id
    }

    func object(named name: String) throws(JSONShapeError) -> JSONObject {
        guard let value = object[name] else { throw JSONShapeError(member: name, reason: "is missing") }
        guard case .object(let object) = value else {
            throw JSONShapeError(member: name, reason: "is \(value.kind), an object is expected")
        }
        return object
    }
}
