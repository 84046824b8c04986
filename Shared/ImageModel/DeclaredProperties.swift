public import WireJSON

/// Properties that an operator declares beside the fields of an image (the file `schema-image.json`): documented in the
/// schema, checked on every write, and otherwise custom properties like any other.
public struct DeclaredProperties: Sendable, Equatable {
    public private(set) var properties: [JSONSchema.Property]
    /// Names without which no image is created; they may be fields of the image, too.
    public private(set) var required: [String]

    public static let none = DeclaredProperties(properties: [], required: [])

    /// What the file holds that upstream ships.
    public static let stock = DeclaredProperties(
        properties: [
            property("kernel_id", JSONSchema(.null, .string, description: "Kernel image UUID", pattern: .uuid)),
            property("ramdisk_id", JSONSchema(.null, .string, description: "Ramdisk image UUID", pattern: .uuid)),
            property("instance_uuid", JSONSchema(.string, description: "Related server UUID")),
            property("architecture", JSONSchema(.string, description: "CPU architecture")),
            property("os_distro", JSONSchema(.string, description: "OS distribution")),
            property("os_version", JSONSchema(.string, description: "OS version")),
            property("description", JSONSchema(.string, description: "Free text")),
            property("cinder_encryption_key_id", JSONSchema(.string, description: "Key-manager id")),
            property(
                "cinder_encryption_key_deletion_policy",
                JSONSchema(
                    .string,
                    description: "What to do with the key on image delete",
                    choices: ["on_image_deletion", "do_not_delete"]
                )
            ),
        ],
        required: []
    )

    private init(properties: [JSONSchema.Property], required: [String]) {
        self.properties = properties
        self.required = required
    }

    private static func property(_ name: String, _ schema: JSONSchema) -> JSONSchema.Property {
        var schema = schema
        schema.isBase = false
        return JSONSchema.Property(name, schema)
    }

    /// Why a file declares nothing usable, in words that follow the file's name.
    public struct FileError: Error, Equatable, CustomStringConvertible {
        public var description: String
    }

    /// Reads `schema-image.json` as it was found.
    ///
    /// - Throws: ``FileError`` naming the byte or the property.
    public init(schemaFile bytes: [UInt8]) throws(FileError) {
        let json: JSONValue
        do {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw FileError(description: "is not JSON: at byte \(error.offset): \(error.reason)")
        }
        do {
            try self.init(schemaFile: json)
        } catch {
            throw FileError(
                description: error.member.isEmpty
                    ? error.reason : "declares nothing usable: the property '\(error.member)' \(error.reason)"
            )
        }
    }

    /// Reads the content of `schema-image.json`: `{name: schema}`, or
    /// `{"properties": {name: schema}, "required": [name]}`.
    ///
    /// Properties are kept as text, so a declared type is `string`, with or without `null`; and what could not be
    /// checked is refused rather than passed over: a keyword that restricts in a way unknown here, or a pattern that
    /// cannot be searched for in linear time (``LinearPattern``).
    ///
    /// - Throws: ``JSONShapeError`` naming the property.
    public init(schemaFile: JSONValue) throws(JSONShapeError) {
        let file = try JSONMembers(schemaFile).object
        var declared = file
        required = []
        if let wrapped = file["properties"]?.objectValue, wrapped.members.allSatisfy({ $0.value.objectValue != nil }) {
            declared = wrapped
            if file["required"] != nil { required = try JSONMembers(schemaFile).strings("required") }
        }
        let fields = Set(ImageSchema.baseProperties(containerFormats: [], diskFormats: []).map(\.name))
        properties = []
        for (name, json) in declared.members {
            guard !fields.contains(name) else {
                throw JSONShapeError(member: name, reason: "is a field of every image")
            }
            properties.append(Self.property(name, try JSONSchema(declared: json, name: name)))
        }
    }
}

extension JSONSchema {
    private static let passedThrough: Set<String> = [
        "title", "default", "format", "examples", "$comment", "operations", "$schema", "id",
    ]

    fileprivate init(declared json: JSONValue, name: String) throws(JSONShapeError) {
        guard case .object(let members) = json else { throw JSONShapeError(member: name, reason: "must be a schema") }
        func wrong(_ reason: String) -> JSONShapeError { JSONShapeError(member: name, reason: reason) }
        func length(_ value: JSONValue) throws(JSONShapeError) -> Int {
            guard let length = value.integerValue, (0...Int64(Int32.max)).contains(length) else {
                throw wrong("has a length that is no natural number")
            }
            return Int(length)
        }
        self.init(.string)
        for (keyword, value) in members.members {
            switch keyword {
            case "type":
                let words = value.arrayValue ?? [value]
                kinds = words.compactMap { $0.stringValue.flatMap(Kind.init(rawValue:)) }
                guard kinds.count == words.count, kinds.contains(.string), Set(kinds).isSubset(of: [.string, .null])
                else {
                    throw wrong("has a type other than string, or string and null")
                }
            case "description":
                guard let text = value.stringValue else { throw wrong("has a description that is no string") }
                description = text
            case "enum":
                guard let values = value.arrayValue, !values.isEmpty else { throw wrong("has an enum that is no list") }
                choices = values
            case "pattern":
                guard let text = value.stringValue else { throw wrong("has a pattern that is no string") }
                do {
                    pattern = try Pattern(text)
                } catch {
                    throw wrong("has a pattern that cannot be searched for: \(error)")
                }
            case "minLength": minLength = try length(value)
            case "maxLength": maxLength = try length(value)
            case "readOnly":
                guard let flag = value.boolValue else { throw wrong("has a readOnly that is no boolean") }
                isReadOnly = flag
            case "is_base": break
            case _ where Self.passedThrough.contains(keyword): annotations[keyword] = value
            default: throw wrong("has the keyword '\(keyword)', which is not supported")
            }
        }
    }
}
