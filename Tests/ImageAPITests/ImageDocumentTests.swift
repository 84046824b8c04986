import ImageModel
import StoreLayer
import Testing
import WireJSON

@testable import ImageAPI

@Suite("Image documents")
struct ImageDocumentTests {
    private let image: Image

    init() throws {
        image = Image(
            id: try #require(ImageID("6f9619ff-8b86-d011-b42d-00cf4fc964ff")),
            name: "café \"x\"",
            status: .active,
            visibility: .public,
            protected: true,
            owner: "p1",
            containerFormat: "bare",
            diskFormat: "qcow2",
            minDisk: 1,
            minRAM: 2,
            size: 3,
            virtualSize: 4,
            checksum: "c0",
            hashAlgorithm: "sha512",
            hashValue: "f0",
            createdAt: Timestamp(seconds: 1_700_000_000),
            updatedAt: Timestamp(seconds: 1_700_000_001),
            tags: ["b", "a"],
            properties: ["os_distro": "debian"],
            locations: [
                ImageLocation(url: "stub://slow/1", metadata: ["store": "slow"]),
                ImageLocation(url: "stub://fast/1", metadata: ["store": "fast"]),
            ],
            revision: 9
        )
    }

    private func settings(isMultiStore: Bool = false, showsDirectURL: Bool = false) throws -> ImageAPISettings {
        let stores = [StoreCatalogue.Entry(StubStore("slow")), .init(StubStore("fast"), weight: 5)]
        let catalogue =
            isMultiStore
            ? try StoreCatalogue(stores, defaultIdentifier: "slow", isMultiStore: true)
            : StoreCatalogue(single: StubStore("slow"))
        var settings = ImageAPISettings(schema: ImageSchema(), limits: ImageLimits(), catalogue: catalogue)
        settings.showsDirectURL = showsDirectURL
        return settings
    }

    private func text(_ image: Image, _ settings: ImageAPISettings, isAdmin: Bool = false) -> String {
        String(
            decoding: ImageDocument.bytes(image, settings: settings, caller: Caller(project: "p1", isAdmin: isAdmin)),
            as: UTF8.self
        )
    }

    private func members(_ image: Image, _ settings: ImageAPISettings, isAdmin: Bool = false) throws -> JSONObject {
        try JSONMembers(JSONValue(parsing: Array(text(image, settings, isAdmin: isAdmin).utf8))).object
    }

    /// All of it but the locations, which come before the tags.
    private func golden(_ locations: String) -> String {
        #"{"os_distro":"debian","name":"café \"x\"","disk_format":"qcow2","container_format":"bare","#
            + #""visibility":"public","size":3,"virtual_size":4,"status":"active","checksum":"c0","protected":true,"#
            + #""min_ram":2,"min_disk":1,"owner":"p1","os_hidden":false,"os_hash_algo":"sha512","#
            + #""os_hash_value":"f0","id":"6f9619ff-8b86-d011-b42d-00cf4fc964ff","#
            + #""created_at":"2023-11-14T22:13:20Z","updated_at":"2023-11-14T22:13:21Z",\#(locations)"#
            + #""tags":["b","a"],"self":"/v2/images/6f9619ff-8b86-d011-b42d-00cf4fc964ff","#
            + #""file":"/v2/images/6f9619ff-8b86-d011-b42d-00cf4fc964ff/file","schema":"/v2/schemas/image"}"#
    }

    @Test("an image is this JSON, without its locations")
    func plain() throws {
        #expect(text(image, try settings()) == golden(""))
    }

    @Test("with several stores it names them, the heaviest first")
    func stores() throws {
        #expect(text(image, try settings(isMultiStore: true)) == golden(#""stores":"fast,slow","#))
    }

    @Test("where the operator lets it be seen, direct_url is where reading begins")
    func directURL() throws {
        #expect(text(image, try settings(showsDirectURL: true)) == golden(#""direct_url":"stub://slow/1","#))
        #expect(
            text(image, try settings(isMultiStore: true, showsDirectURL: true))
                == golden(#""direct_url":"stub://fast/1","stores":"fast,slow","#)
        )
    }

    @Test("locations are shown in the order of reading, where operator and policy let them be")
    func locations() throws {
        var image = image
        image.locations[0].metadata["k"] = ["deep": 1]
        var settings = try settings(isMultiStore: true, showsDirectURL: true)
        settings.locationRules.areVisible = true
        let shown =
            #""locations":[{"url":"stub://fast/1","metadata":{"store":"fast"}},"#
            + #"{"url":"stub://slow/1","metadata":{"store":"slow","k":{"deep":1}}}],"#
            + #""direct_url":"stub://fast/1","stores":"fast,slow","#
        #expect(text(image, settings) == golden(shown))
        settings.maySeeLocations = { _, caller in caller.project != "p1" }
        #expect(text(image, settings) == golden(#""locations":[],"stores":"fast,slow","#))
        image.locations = []
        #expect(text(image, settings) == golden(#""locations":[],"#))
    }

    @Test("a URL that is there several times is shown with the metadata of each")
    func repeated() throws {
        var image = image
        image.locations = [1, 2, 3].map { number in
            ImageLocation(url: "stub://slow/1", metadata: ["store": "slow", "n": .integer(number)])
        }
        image.locations.append(ImageLocation(url: "stub://fast/1", metadata: ["store": "fast"]))
        var settings = try settings(isMultiStore: true)
        settings.locationRules.areVisible = true
        let shown = try #require(try members(image, settings)["locations"]?.arrayValue)
        #expect(shown.map { $0.objectValue?["metadata"]?.objectValue?["n"] } == [nil, 1, 2, 3])
    }

    @Test("a deactivated image shows where its data is to administrators only")
    func deactivated() throws {
        var image = image
        image.status = .deactivated
        let settings = try settings(isMultiStore: true, showsDirectURL: true)
        let seen = try members(image, settings)
        #expect(seen["direct_url"] == nil)
        #expect(seen["stores"] == nil)
        #expect(seen["status"] == "deactivated")
        let all = try members(image, settings, isAdmin: true)
        #expect(all["direct_url"] == "stub://fast/1")
        #expect(all["stores"] == "fast,slow")
    }

    @Test("an image without data names no stores, and what is unknown is null")
    func queued() throws {
        let members = try members(Image(id: image.id), try settings(isMultiStore: true, showsDirectURL: true))
        #expect(members["stores"] == nil)
        #expect(members["direct_url"] == nil)
        let nulls = [
            "name", "disk_format", "container_format", "size", "virtual_size", "checksum", "owner", "os_hash_algo",
            "os_hash_value",
        ]
        for name in nulls { #expect(members[name] == .null, "\(name)") }
        #expect(members["tags"] == [])
        #expect(members["status"] == "queued")
    }

    @Test("a property that may be null is shown as null, any other as an empty text")
    func nullProperties() throws {
        var image = image
        image.properties = ["kernel_id": nil, "custom": nil]
        let members = try members(image, try settings())
        #expect(members["kernel_id"] == .null)
        #expect(members["custom"] == "")
    }

    @Test("what nodes note for each other stays between them")
    func hiddenProperties() throws {
        var image = image
        image.properties = [
            "os_glance_stage_host": "http://node", "os_glance_hash_op_host": "node",
            "os_glance_importing_to_stores": "a",
        ]
        let members = try members(image, try settings())
        #expect(members["os_glance_stage_host"] == nil)
        #expect(members["os_glance_hash_op_host"] == nil)
        #expect(members["os_glance_importing_to_stores"] == "a")
    }

    @Test("a page is its images and its links")
    func page() throws {
        func text(_ page: [Image], next: String?) throws -> String {
            String(
                decoding: ImageDocument.bytes(
                    page: page,
                    first: "/v2/images?limit=1",
                    next: next,
                    settings: try settings(),
                    caller: Caller(project: "p1")
                ),
                as: UTF8.self
            )
        }
        #expect(
            try text([image], next: "/v2/images?limit=1&marker=m")
                == #"{"images":[\#(golden(""))],"first":"/v2/images?limit=1","#
                + #""next":"/v2/images?limit=1&marker=m","schema":"/v2/schemas/images"}"#
        )
        #expect(try text([], next: nil) == #"{"images":[],"first":"/v2/images?limit=1","schema":"/v2/schemas/images"}"#)
    }
}
