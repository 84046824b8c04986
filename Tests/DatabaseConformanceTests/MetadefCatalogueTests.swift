import FoundationEssentials
import ImageModel
import RegistryContract
import RegistryDatabase
import Testing
import WireJSON

@Suite("The catalogue of metadata definitions")
struct MetadefCatalogueTests {
    /// What the tree ships.
    private static func shipped() throws -> [MetadefCatalogueFile] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = root.appending(path: "deploy/metadefs").path
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
            let data = try #require(FileManager.default.contents(atPath: "\(folder)/\(name)"))
            return try MetadefCatalogueFile(parsing: Array(data))
        }
    }

    private static func file(_ json: String) throws -> MetadefCatalogueFile {
        try MetadefCatalogueFile(parsing: Array(json.utf8))
    }

    /// Without owners, which are not exported, and times.
    private func contents(_ tables: RegistryTables) async throws -> [String] {
        try await tables.database.read { try MetadefTable($0).catalogue().map(\.text) }
    }

    private func load(
        _ file: MetadefCatalogueFile,
        _ mode: MetadefLoadMode = .skip,
        into tables: RegistryTables,
        at now: Timestamp = .start
    ) async throws -> MetadefLoadOutcome {
        try await tables.database.write { try MetadefTable($0).load(file, mode, at: now) }
    }

    @Test("what is loaded and exported can be loaded again, and is the same", arguments: DatabaseUnderTest.all)
    func roundTrip(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let files = try Self.shipped()
            #expect(files.count == 33)
            for file in files { #expect(try await load(file, into: tables) == .added) }
            let exported = try await contents(tables)
            #expect(exported == files.map(\.text))
            #expect(try await tables.database.write { try MetadefTable($0).unload() } == 33)
            for table in ["namespaces", "properties", "objects", "tags", "associations", "resource_types"] {
                #expect(try await tables.count("metadef_\(table)") == 0, "\(table)")
            }
            for text in exported { #expect(try await load(try Self.file(text), into: tables) == .added) }
            #expect(try await contents(tables) == exported)
            #expect(try await tables.count("metadef_resource_types WHERE protected = 1") > 0)
            #expect(try await tables.count("metadef_resource_types WHERE protected = 0") == 0)
            #expect(try await tables.showMetadefs("OS::Compute::Watchdog", .nothing).namespace.owner == "admin")
            for file in files { #expect(try await load(file, into: tables) == .skipped) }
        }
    }

    @Test("what a file says and the catalogue does not keep is told")
    func omissions() throws {
        let file = try Self.file(
            """
            {"namespace": "n", "visibility": "shared", "protected": "yes", "objects": {}, "tags": ["x", {"name": "t"},
            {"name": "t"}], "resource_type_associations": [{"prefix": "p"}], "properties": {"p": 1}}
            """
        )
        #expect(
            file.omissions == [
                "has a visibility other than public and private: the namespace is private",
                "has a 'protected' that is neither true nor false: the namespace is not protected",
                "has no name in 'resource_type_associations', number 1, which is left out",
                "has no definition of the property 'p', which is left out",
                "has 'objects' that are no list, and are left out",
                "has no name in 'tags', number 1, which is left out",
                "has 't' in 'tags' more than once: the first one counts",
            ]
        )
        #expect(try Self.shipped().allSatisfy { $0.omissions.isEmpty })
    }

    @Test("a long display name makes a file name that can be kept")
    func longName() throws {
        let long = String(repeating: "é", count: 180)
        let name = try Self.file(#"{"namespace": "n", "display_name": "\#(long)"}"#).name
        #expect(name == String(long.prefix(115)))
    }

    @Test("every file that is shipped fits the rules of the API, and has a file name of its own")
    func shippedFiles() throws {
        let files = try Self.shipped()
        #expect(Set(files.map { $0.name.lowercased() }).count == files.count)
        for file in files {
            let record = file.record
            let definitions = record.content.properties + record.content.objects.flatMap(\.properties)
            #expect(!definitions.isEmpty, "\(record.namespace.name)")
            for property in definitions {
                var body = property.definition.keywords
                body["name"] = .string(property.name)
                #expect(throws: Never.self, "\(record.namespace.name): \(property.name)") {
                    _ = try MetadefProperty(parsing: body)
                }
                #expect(property.definition.keywords["description"]?.stringValue?.isEmpty == false)
            }
        }
    }

    @Test("a file is taken as it is, and what it leaves out is private, unprotected and the administrator's")
    func leniency() throws {
        let file = try Self.file(
            """
            {"namespace": "n", "visibility": "PUBLIC", "unknown": 1, "protected": null,
             "properties": {"p": {"title": "t", "type": "x", "strange": true, "default": 4}, "q": 5},
             "objects": [{"name": "o"}, {"name": "o"}, {"description": "nameless"}, 7], "tags": [{"name": "t"}, "u"]}
            """
        )
        #expect(file.record.namespace == MetadefNamespace(name: "n", owner: "admin"))
        #expect(file.record.content.properties.map(\.name) == ["p"])
        #expect(
            file.record.content.properties.first?.definition.keywords
                == ["title": "t", "type": "x", "strange": true, "default": "4"]
        )
        #expect(file.record.content.objects.map(\.name) == ["o"])
        #expect(file.record.content.tags.map(\.name) == ["t"])
    }

    @Test(
        "what is no catalogue file is refused in words that follow its name",
        arguments: [
            ("", "is not JSON"), ("{", "is not JSON"), ("[]", "holds no JSON object"), ("{}", "names no namespace"),
            (#"{"namespace": ""}"#, "names no namespace"), (#"{"namespace": 5}"#, "names no namespace"),
            (#"{"namespace": "a\u0000"}"#, "null character"),
        ]
    )
    func refused(_ json: String, _ phrase: String) {
        let problem = #expect(throws: MetadefCatalogueFile.Problem.self) { _ = try Self.file(json) }
        #expect(problem?.description.contains(phrase) == true)
    }

    private static let first = """
        {"namespace": "n", "display_name": "first", "owner": "p1",
         "resource_type_associations": [{"name": "A", "prefix": "a_"}],
         "properties": {"kept": {"title": "old", "type": "string"}, "both": {"title": "old", "type": "string"}},
         "objects": [{"name": "both", "description": "old"}, {"name": "kept"}], "tags": [{"name": "kept"}]}
        """
    private static let second = """
        {"namespace": "n", "display_name": "second",
         "resource_type_associations": [{"name": "A", "prefix": "b_"}, {"name": "B"}],
         "properties": {"both": {"title": "new", "type": "string"}, "added": {"title": "new", "type": "string"}},
         "objects": [{"name": "both", "description": "new"}, {"name": "added"}],
         "tags": [{"name": "kept"}, {"name": "added"}]}
        """

    @Test("the modes differ in what becomes of what is there", arguments: DatabaseUnderTest.all)
    func modes(_ subject: DatabaseUnderTest) async throws {
        for mode in MetadefLoadMode.allCases {
            try await subject.withTables { tables in
                #expect(try await load(try Self.file(Self.first), mode, into: tables) == .added)
                let outcome = try await load(try Self.file(Self.second), mode, into: tables, at: .start + 9)
                let record = try await tables.showMetadefs("n")
                let content = record.content
                let titles = content.properties.map { "\($0.name) \($0.definition.title ?? "-")" }
                let prefixes = content.associations.map { "\($0.name) \($0.prefix ?? "-")" }
                let objects = content.objects.map { "\($0.name) \($0.description ?? "-")" }
                let tags = content.tags.map(\.name)
                #expect(record.namespace.createdAt == (mode == .overwrite ? .start + 9 : .start))
                let changes = mode == .mergePreferringNew || mode == .overwrite
                #expect(record.namespace.updatedAt == (changes ? .start + 9 : .start))
                #expect(record.namespace.owner == (changes ? "admin" : "p1"))
                switch mode {
                case .skip:
                    #expect(outcome == .skipped)
                    #expect(record.namespace.displayName == "first")
                    #expect(titles == ["kept old", "both old"])
                    #expect(tags == ["kept"])
                case .merge:
                    #expect(outcome == .merged)
                    #expect(record.namespace.displayName == "first")
                    #expect(titles == ["kept old", "both old", "added new"])
                    #expect(prefixes == ["A a_", "B -"])
                    #expect(objects == ["both old", "kept -", "added -"])
                    #expect(tags == ["kept", "added"])
                case .mergePreferringNew:
                    #expect(outcome == .merged)
                    #expect(record.namespace.displayName == "second")
                    #expect(titles == ["kept old", "both new", "added new"])
                    #expect(prefixes == ["A b_", "B -"])
                    #expect(objects == ["both new", "kept -", "added -"])
                    #expect(tags == ["kept", "added"])
                case .overwrite:
                    #expect(outcome == .replaced)
                    #expect(record.namespace.displayName == "second")
                    #expect(titles == ["both new", "added new"])
                    #expect(prefixes == ["A b_", "B -"])
                    #expect(objects == ["both new", "added -"])
                    #expect(tags == ["kept", "added"])
                }
            }
        }
    }
}
