internal import WireJSON

/// One file of a catalogue of metadata definitions: a namespace with all it holds, in the form of the files that the
/// reference ships and exports (Glance, "Catalogue file format").
///
/// Files are taken as they are: what the API would refuse is kept as well as it can be. Times are left open.
public struct MetadefCatalogueFile: Sendable, Equatable {
    public var record: MetadefRecord

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
        // Without a visibility it is private: only a word that opens a namespace opens it.
        let visibility = file["visibility"]?.stringValue.flatMap { MetadefNamespace.Visibility(rawValue: $0) }
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
                associations: Self.list(file["resource_type_associations"]) { name, json in
                    ResourceTypeAssociation(
                        name: name,
                        prefix: json["prefix"]?.stringValue,
                        propertiesTarget: json["properties_target"]?.stringValue
                    )
                },
                properties: Self.properties(file["properties"]),
                objects: Self.list(file["objects"]) { name, json in
                    MetadefObject(
                        name: name,
                        description: json["description"]?.stringValue,
                        required: (json["required"]?.arrayValue ?? []).compactMap(\.stringValue),
                        properties: Self.properties(json["properties"])
                    )
                },
                tags: Self.list(file["tags"]) { name, _ in MetadefTag(name: name) }
            )
        )
    }

    /// What has a name, each name once: of two the first counts.
    private static func list<Part>(_ json: JSONValue?, _ part: (String, JSONObject) -> Part) -> [Part] {
        var seen: Set<[UInt8]> = []
        return (json?.arrayValue ?? []).compactMap { element in
            guard let object = element.objectValue, let name = object["name"]?.stringValue, !name.isEmpty,
                seen.insert(Array(name.utf8)).inserted
            else { return nil }
            return part(name, object)
        }
    }

    private static func properties(_ json: JSONValue?) -> [MetadefProperty] {
        (json?.objectValue?.members ?? []).compactMap { name, value in
            guard let keywords = value.objectValue, !name.isEmpty else { return nil }
            return MetadefProperty(name: name, definition: MetadefDefinition(keywords))
        }
    }
}

extension MetadefCatalogueFile {
    /// The name of the file to which a namespace is exported, without a number that would tell it from others: its
    /// display name, or else its name, of which letters and digits are left.
    public var name: String {
        let text = record.namespace.displayName ?? record.namespace.name
        let kept = text.unicodeScalars.filter { $0.properties.isAlphabetic || $0.properties.numericType != nil }
        return kept.isEmpty ? "namespace" : String(String.UnicodeScalarView(kept))
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
