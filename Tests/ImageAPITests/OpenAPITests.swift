import FoundationEssentials
import HTTPTypes
import ImageModel
import Testing
import WireJSON

@testable import ImageAPI

@Suite("The OpenAPI document")
struct OpenAPITests {
    /// What is answered before the table of routes is asked.
    private static let outsideOfTheTable: Set<String> = [
        "GET /", "GET /versions", "GET /v2", "GET /healthcheck", "HEAD /healthcheck", "GET /metrics",
    ]

    private let document: JSONObject

    init() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let data = try Data(contentsOf: root.appending(path: "docs/openapi.json"))
        document = try #require(try JSONValue(parsing: Array(data)).objectValue)
    }

    /// Every operation as "GET /path".
    private func operations() throws -> [(name: String, operation: JSONObject)] {
        let methods = ["get", "head", "post", "put", "delete", "patch", "options"]
        let paths = try #require(document["paths"]?.objectValue)
        return try paths.members.flatMap { path, item in
            try #require(item.objectValue).members.filter { methods.contains($0.name) }.map { method, operation in
                ("\(method.uppercased()) \(path)", try #require(operation.objectValue))
            }
        }
    }

    @Test("no route lacks a row, and no row lacks a route")
    func routes() throws {
        let served = Set(RoutesUnderTest.table().routes.map { "\($0.method.rawValue) /v2\($0.path)" })
        let documented = Set(try operations().map(\.name))
        #expect(served.subtracting(documented).sorted() == [])
        #expect(documented.subtracting(served).subtracting(Self.outsideOfTheTable).sorted() == [])
        #expect(Self.outsideOfTheTable.subtracting(documented).sorted() == [])
    }

    @Test("an operation has an id of its own, a summary and a success")
    func operationsAreComplete() throws {
        var ids: Set<String> = []
        for (name, operation) in try operations() {
            let id = try #require(operation["operationId"]?.stringValue, "\(name) has no id")
            #expect(ids.insert(id).inserted, "\(id) is there twice")
            #expect(operation["summary"]?.stringValue?.isEmpty == false, "\(name) has no summary")
            let statuses = try #require(operation["responses"]?.objectValue).names
            #expect(statuses.contains { $0.hasPrefix("2") || $0 == "300" || $0 == "302" }, "\(name) never succeeds")
        }
    }

    @Test("every operation of the API may answer 400: its query may be none that can be read")
    func undecodableQueries() throws {
        for (name, operation) in try operations() where name.contains(" /v2") {
            let statuses = try #require(operation["responses"]?.objectValue).names
            #expect(statuses.contains("400"), "\(name)")
        }
    }

    @Test("every placeholder of a path is declared")
    func placeholders() throws {
        for (path, item) in try #require(document["paths"]?.objectValue).members {
            let declared = (item.objectValue?["parameters"]?.arrayValue ?? []).compactMap { parameter in
                parameter.objectValue?["name"]?.stringValue
                    ?? resolved(parameter)?.objectValue?["name"]?.stringValue
            }
            let named = path.split(separator: "/").filter { $0.hasPrefix("{") }.map {
                String($0.dropFirst().dropLast())
            }
            #expect(Set(declared) == Set(named), "\(path)")
        }
    }

    @Test("every reference leads somewhere")
    func references() {
        var open = [JSONValue.object(document)]
        while let value = open.popLast() {
            switch value {
            case .array(let elements): open += elements
            case .object(let object):
                if let target = object["$ref"]?.stringValue { #expect(resolved(value) != nil, "\(target)") }
                open += object.members.map(\.value)
            default: break
            }
        }
    }

    @Test("an image is described as the schema that is served describes it")
    func imageSchema() throws {
        let served = try #require(ImageSchema(declared: .none).document.objectValue?["properties"]?.objectValue)
        let image = try #require(component("schemas", "Image")?.objectValue)
        let documented = try #require(image["properties"]?.objectValue)
        #expect(documented.names.sorted() == served.names.sorted())
        for (name, schema) in served.members { #expect(documented[name] == schema, "\(name)") }
    }

    private func component(_ kind: String, _ name: String) -> JSONValue? {
        document["components"]?.objectValue?[kind]?.objectValue?[name]
    }

    private func resolved(_ reference: JSONValue) -> JSONValue? {
        let parts = reference.objectValue?["$ref"]?.stringValue?.split(separator: "/").map(String.init) ?? []
        guard parts.count == 4, parts[..<2] == ["#", "components"] else { return nil }
        return component(parts[2], parts[3])
    }
}
