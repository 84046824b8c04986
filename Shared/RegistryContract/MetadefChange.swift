public import ImageModel
public import WireJSON

/// One change of a namespace's content. What is replaced or removed is named by its name until now.
public enum MetadefChange: Sendable, Equatable {
    /// The kinds of content that can be removed all at once.
    public enum Kind: String, Sendable, CaseIterable {
        case objects, properties, tags
    }

    case addProperty(MetadefProperty)
    case replaceProperty(String, MetadefProperty)
    case removeProperty(String)
    case addObject(MetadefObject)
    case replaceObject(String, MetadefObject)
    case removeObject(String)
    /// All of them or none; they take the place of the tags that are there unless those are kept.
    case addTags([String], keepsOthers: Bool)
    case renameTag(String, to: String)
    case removeTag(String)
    /// Makes the resource type, too, where there is none of the name.
    case associate(ResourceTypeAssociation)
    case dissociate(String)
    case removeAll(Kind)
}

extension MetadefChange: WireCodable {
    private enum Word: String {
        case addProperty, replaceProperty, removeProperty, addObject, replaceObject, removeObject
        case addTags, renameTag, removeTag, associate, dissociate, removeAll
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .addProperty(let property): writer.change(Word.addProperty.rawValue, property)
            case .replaceProperty(let name, let property):
                writer.change(Word.replaceProperty.rawValue, property)
                writer.field("name", name)
            case .removeProperty(let name): writer.change(Word.removeProperty.rawValue, name)
            case .addObject(let object): writer.change(Word.addObject.rawValue, object)
            case .replaceObject(let name, let object):
                writer.change(Word.replaceObject.rawValue, object)
                writer.field("name", name)
            case .removeObject(let name): writer.change(Word.removeObject.rawValue, name)
            case .addTags(let names, let keepsOthers):
                writer.field("change", Word.addTags.rawValue)
                writer.field("names", strings: names)
                writer.field("keeps_others", keepsOthers)
            case .renameTag(let name, let newName):
                writer.change(Word.renameTag.rawValue, name)
                writer.field("new_name", newName)
            case .removeTag(let name): writer.change(Word.removeTag.rawValue, name)
            case .associate(let association): writer.change(Word.associate.rawValue, association)
            case .dissociate(let name): writer.change(Word.dissociate.rawValue, name)
            case .removeAll(let kind):
                writer.field("change", Word.removeAll.rawValue)
                writer.field("kind", kind.rawValue)
            }
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        switch try members.word("change", as: Word.self) {
        case .addProperty: self = .addProperty(try members.value("value"))
        case .replaceProperty: self = .replaceProperty(try members.string("name"), try members.value("value"))
        case .removeProperty: self = .removeProperty(try members.string("name"))
        case .addObject: self = .addObject(try members.value("value"))
        case .replaceObject: self = .replaceObject(try members.string("name"), try members.value("value"))
        case .removeObject: self = .removeObject(try members.string("name"))
        case .addTags: self = .addTags(try members.strings("names"), keepsOthers: try members.bool("keeps_others"))
        case .renameTag: self = .renameTag(try members.string("name"), to: try members.string("new_name"))
        case .removeTag: self = .removeTag(try members.string("name"))
        case .associate: self = .associate(try members.value("value"))
        case .dissociate: self = .dissociate(try members.string("name"))
        case .removeAll: self = .removeAll(try members.word("kind"))
        }
    }
}

extension JSONWriter {
    fileprivate mutating func change(_ word: String, _ value: some WireCodable) {
        field("change", word)
        name("value")
        value.write(to: &self)
    }

    fileprivate mutating func change(_ word: String, _ name: String) {
        field("change", word)
        field("name", name)
    }
}
