import ImageModel
import Testing
import WireJSON

@Suite("Schema documents of metadata definitions")
struct MetadefSchemaTests {
    @Test("the documents are those that clients were promised", arguments: GoldenMetadefSchemas.all)
    func golden(_ name: String, _ text: String) throws {
        let served = try #require(MetadefSchemaDocuments.all.first { $0.name == name }?.document)
        #expect(served.undescribed == (try JSONValue(parsing: GoldenMetadefSchemas.whole(text).utf8)))
    }

    @Test("every document is promised")
    func coverage() {
        #expect(MetadefSchemaDocuments.all.map(\.name).sorted() == GoldenMetadefSchemas.all.map(\.0).sorted())
    }

    @Test("every reference of a document leads to one of its definitions")
    func references() throws {
        for (name, document) in MetadefSchemaDocuments.all {
            let definitions = document.objectValue?["definitions"]?.objectValue?.names ?? []
            var open = [document]
            while let value = open.popLast() {
                switch value {
                case .array(let elements): open += elements
                case .object(let object):
                    if let target = object["$ref"]?.stringValue {
                        #expect(definitions.contains { target == "#/definitions/\($0)" }, "\(name): \(target)")
                    }
                    open += object.members.map(\.value)
                default: break
                }
            }
        }
    }
}
