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

    public init(json: JSONValue) throws(JSONShapeError) { try self.init(rereading: json) }

    /// Without a tree: a list is made of these.
    public init(reading reader: inout JSONReader) throws(JSONReadError) {
        var id: ImageID?
        var (name, owner, containerFormat, diskFormat): (String?, String?, String?, String?)
        var (checksum, hashAlgorithm, hashValue): (String?, String?, String?)
        var (status, visibility): (ImageStatus?, Visibility?)
        var (protected, hidden): (Bool?, Bool?)
        var (minDisk, minRAM, size, virtualSize): (Int64?, Int64?, Int64?, Int64?)
        var (createdAt, updatedAt, revision): (Int64?, Int64?, Int64?)
        var (tags, damaged): ([String]?, [String]?)
        var properties: [String: String?]?
        var locations: [ImageLocation]?
        try reader.beginObject("")
        while let member = try reader.nextName() {
            switch member {
            case "id": id = try reader.imageID("id")
            case "name": name = try reader.optionalString("name")
            case "status": status = try reader.word("status")
            case "visibility": visibility = try reader.word("visibility")
            case "protected": protected = try reader.bool("protected")
            case "os_hidden": hidden = try reader.bool("os_hidden")
            case "owner": owner = try reader.optionalString("owner")
            case "container_format": containerFormat = try reader.optionalString("container_format")
            case "disk_format": diskFormat = try reader.optionalString("disk_format")
            case "min_disk": minDisk = try reader.integer("min_disk")
            case "min_ram": minRAM = try reader.integer("min_ram")
            case "size": size = try reader.optionalInteger("size")
            case "virtual_size": virtualSize = try reader.optionalInteger("virtual_size")
            case "checksum": checksum = try reader.optionalString("checksum")
            case "os_hash_algo": hashAlgorithm = try reader.optionalString("os_hash_algo")
            case "os_hash_value": hashValue = try reader.optionalString("os_hash_value")
            case "created_at": createdAt = try reader.integer("created_at")
            case "updated_at": updatedAt = try reader.integer("updated_at")
            case "tags": tags = try reader.strings("tags")
            case "properties": properties = try reader.properties("properties")
            case "locations": locations = try reader.values("locations")
            case "damaged": damaged = try reader.strings("damaged")
            case "revision": revision = try reader.integer("revision")
            default: try reader.skip()
            }
        }
        self.init(
            id: try required(id, "id"),
            name: name,
            status: try required(status, "status"),
            visibility: try required(visibility, "visibility"),
            protected: try required(protected, "protected"),
            hidden: try required(hidden, "os_hidden"),
            owner: owner,
            containerFormat: containerFormat,
            diskFormat: diskFormat,
            minDisk: try required(minDisk, "min_disk"),
            minRAM: try required(minRAM, "min_ram"),
            size: size,
            virtualSize: virtualSize,
            checksum: checksum,
            hashAlgorithm: hashAlgorithm,
            hashValue: hashValue,
            createdAt: Timestamp(microseconds: try required(createdAt, "created_at")),
            updatedAt: Timestamp(microseconds: try required(updatedAt, "updated_at")),
            tags: try required(tags, "tags"),
            properties: try required(properties, "properties"),
            locations: try required(locations, "locations"),
            damaged: Set(damaged ?? []),
            revision: try required(revision, "revision")
        )
    }
}

private func required<Value>(_ value: Value?, _ member: StaticString) throws(JSONReadError) -> Value {
    guard let value else { throw .shape(JSONShapeError(member: "\(member)", reason: "is missing")) }
    return value
}

extension JSONReader {
    fileprivate mutating func imageID(_ member: StaticString) throws(JSONReadError) -> ImageID {
        guard let id = ImageID(try string(member)) else {
            throw .shape(JSONShapeError(member: "\(member)", reason: "is no UUID"))
        }
        return id
    }

    fileprivate mutating func properties(_ member: StaticString) throws(JSONReadError) -> [String: String?] {
        var properties: [String: String?] = [:]
        try beginObject(member)
        while let name = try nextName()?.text {
            switch try value() {
            case .string(let text): properties[name] = .some(text)
            case .null: properties[name] = .some(nil)
            default: throw .shape(JSONShapeError(member: name, reason: "is neither a string nor null"))
            }
        }
        return properties
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
