internal import WireJSON

/// One file of a catalogue of metadata definitions: a namespace with all it holds, in the form of the files that the
/// reference ships and exports (Glance, "Catalogue file format").
///
/// Files are taken as they are: what the API would refuse is kept as well as it can be. Times are left open.
public struct MetadefCatalogueFile: Sendable, Equatable {
    public var record: MetadefRecord
    /// What a file says and the record does not, in words that follow the file's name.
    public private(set) var omissions: [String] = []

    /// The owner where a file names none.
    public static let owner = "admin"

    /// Why a file is no part of a catalogue, in words that follow its name.
    public struct Problem: Error, Equatable, CustomStringConvertible {
        public var description: String
    }

    public init(_ record: MetadefRecord) { self.record = record }

    /// - Throws: ``Problem``.
    public init(parsing bytes: [UInt8]) throws(Problem) {
        let json: JSONValue
        do {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw Problem(description: "is not JSON: at byte \(error.offset): \(error.reason)")
        }
        guard case .object(let file) = json else { throw Problem(description: "holds no JSON object") }
        guard !json.holdsNull else { throw Problem(description: "holds a null character, which cannot be kept") }
        guard let name = file["namespace"]?.stringValue, !name.isEmpty else {
            throw Problem(description: "names no namespace")
        }
        var omissions: [String] = []
        // Without a visibility it is private: only a word that opens a namespace opens it.
        let visibility = file["visibility"]?.stringValue.flatMap { MetadefNamespace.Visibility(rawValue: $0) }
        if let said = file["visibility"], said != .null, visibility == nil {
            omissions.append("has a visibility other than public and private: the namespace is private")
        }
        if let said = file["protected"], said != .null, said.boolValue == nil {
            omissions.append("has a 'protected' that is neither true nor false: the namespace is not protected")
        }
        record = MetadefRecord(
            namespace: MetadefNamespace(
                name: name,
                displayName: file["display_name"]?.stringValue,
                description: file["description"]?.stringValue,
                visibility: visibility ?? .private,
                protected: file["protected"]?.boolValue ?? false,
                owner: file["owner"]?.stringValue ?? Self.owner
            ),
            content: MetadefContent(
                associations: Self.list("resource_type_associations", in: file, &omissions) { name, json, _ in
                    ResourceTypeAssociation(
                        name: name,
                        prefix: json["prefix"]?.stringValue,
                        propertiesTarget: json["properties_target"]?.stringValue
                    )
                },
                properties: Self.properties(of: file, &omissions),
                objects: Self.list("objects", in: file, &omissions) { name, json, omissions in
                    MetadefObject(
                        name: name,
                        description: json["description"]?.stringValue,
                        required: (json["required"]?.arrayValue ?? []).compactMap(\.stringValue),
                        properties: Self.properties(of: json, &omissions)
                    )
                },
                tags: Self.list("tags", in: file, &omissions) { name, _, _ in MetadefTag(name: name) }
            )
        )
        self.omissions = omissions
    }

    /// What has a name, each name once: of two the first counts.
    private static func list<Part>(
        _ member: String,
        in file: JSONObject,
        _ omissions: inout [String],
        _ part: (String, JSONObject, inout [String]) -> Part
    ) -> [Part] {
        guard let json = file[member], json != .null else { return [] }
        guard let elements = json.arrayValue else {
            omissions.append("has '\(member)' that are no list, and are left out")
            return []
        }
        var seen: Set<[UInt8]> = []
        var parts: [Part] = []
        for (index, element) in elements.enumerated() {
            guard let object = element.objectValue, let name = object["name"]?.stringValue, !name.isEmpty else {
                omissions.append("has no name in '\(member)', number \(index + 1), which is left out")
                continue
            }
            guard seen.insert(Array(name.utf8)).inserted else {
                omissions.append("has '\(name.excerpt)' in '\(member)' more than once: the first one counts")
                continue
            }
            parts.append(part(name, object, &omissions))
        }
        return parts
    }

    private static func properties(of owner: JSONObject, _ omissions: inout [String]) -> [MetadefProperty] {
        guard let json = owner["properties"], json != .null else { return [] }
        guard let members = json.objectValue?.members else {
            omissions.append("has 'properties' that are no object, and are left out")
            return []
        }
        var properties: [MetadefProperty] = []
        for (name, value) in members {
            guard let keywords = value.objectValue, !name.isEmpty else {
                omissions.append("has no definition of the property '\(name.excerpt)', which is left out")
                continue
            }
            properties.append(MetadefProperty(name: name, definition: MetadefDefinition(keywords)))
        }
        return properties
    }
}

extension MetadefCatalogueFile {
    /// The name of the file to which a namespace is exported, without a number that would tell it from others: its
    /// display name, or else its name, of which letters and digits are left.
    public var name: String {
        let text = record.namespace.displayName ?? record.namespace.name
        let kept = text.unicodeScalars.filter { $0.properties.isAlphabetic || $0.properties.numericType != nil }
        var name = String.UnicodeScalarView(kept)
        // A file's name has at most 255 bytes, and a number and an ending are to follow.
        while String(name).utf8.count > 230 { name.removeLast() }
        return name.isEmpty ? "namespace" : String(name)
    }

    /// The file's text. The owner is left out, as the reference does: a catalogue goes where owners are others.
    public var text: String {
        let namespace = record.namespace
        var file: JSONObject = ["namespace": .string(namespace.name)]
        file["display_name"] = namespace.displayName.map { .string($0) }
        file["description"] = namespace.description.map { .string($0) }
        file["visibility"] = .string(namespace.visibility.rawValue)
        file["protected"] = .bool(namespace.protected)
        file["resource_type_associations"] = Self.array(record.content.associations) { association in
            var json: JSONObject = ["name": .string(association.name)]
            json["prefix"] = association.prefix.map { .string($0) }
            json["properties_target"] = association.propertiesTarget.map { .string($0) }
            return json
        }
        file["properties"] = Self.map(record.content.properties)
        file["objects"] = Self.array(record.content.objects) { object in
            var json: JSONObject = ["name": .string(object.name)]
            json["description"] = object.description.map { .string($0) }
            if !object.required.isEmpty { json["required"] = .array(object.required.map { .string($0) }) }
            json["properties"] = Self.map(object.properties) ?? [:]
            return json
        }
        file["tags"] = Self.array(record.content.tags) { ["name": .string($0.name)] }
        return JSONValue.object(file).indentedText + "\n"
    }

    /// `nil` for nothing, which is left out.
    private static func array<Part>(_ parts: [Part], _ json: (Part) -> JSONObject) -> JSONValue? {
        parts.isEmpty ? nil : .array(parts.map { .object(json($0)) })
    }

    private static func map(_ properties: [MetadefProperty]) -> JSONValue? {
        guard !properties.isEmpty else { return nil }
        var map: JSONObject = [:]
        for property in properties { map[property.name] = .object(property.definition.keywords) }
        return .object(map)
    }
}

extension JSONValue {
    /// For people: a line per member and element.
    fileprivate var indentedText: String { indented(by: "\n") }

    private func indented(by line: String) -> String {
        let deeper = line + "    "
        switch self {
        case .array(let elements) where !elements.isEmpty:
            return "[" + elements.map { deeper + $0.indented(by: deeper) }.joined(separator: ",") + line + "]"
        case .object(let object) where !object.isEmpty:
            let members = object.members.map { name, value in
                deeper + JSONValue.string(name).text + ": " + value.indented(by: deeper)
            }
            return "{" + members.joined(separator: ",") + line + "}"
        default: return text
        }
    }
}
