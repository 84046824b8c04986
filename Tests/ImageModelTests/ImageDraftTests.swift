import ImageModel
import Testing
import WireJSON

@Suite("Drafts of images")
struct ImageDraftTests {
    private static let id = "5C1F6A0E-7d61-4c2f-9a35-0d2b6a7f9e11"

    private func draft(_ body: JSONObject) throws -> ImageDraft { try ImageDraft(parsing: body, schema: ImageSchema()) }

    @Test("an empty body asks for the defaults")
    func defaults() throws {
        let draft = try draft([:])
        let id = try #require(ImageID(Self.id))
        let now = Timestamp(seconds: 5)
        let image = draft.image(newID: id, owner: "p", now: now)
        #expect(draft.owner == .unspecified)
        #expect(image == Image(id: id, owner: "p", createdAt: now, updatedAt: now))
        #expect(image.visibility == .shared)
        #expect(image.status == .queued)
    }

    @Test("every field is taken over")
    func fields() throws {
        let draft = try draft([
            "id": .string(Self.id), "name": "alpine 😀", "visibility": "private", "protected": true, "os_hidden": true,
            "owner": "p", "container_format": "bare", "disk_format": "qcow2", "min_disk": .double(5),
            "min_ram": 2_147_483_647,
            "tags": ["b", "a", "b"], "kernel_id": nil, "os_distro": "alpine", "": "", "is_public": "x",
        ])
        try draft.requireValidFields()
        let other = try #require(ImageID("00000000-0000-0000-0000-000000000000"))
        let image = draft.image(newID: other, owner: "p", now: Timestamp(seconds: 0))
        #expect(image.id.text == Self.id)
        #expect(image.name == "alpine 😀")
        #expect(image.visibility == .private)
        #expect(image.protected && image.hidden)
        #expect((image.containerFormat, image.diskFormat) == ("bare", "qcow2"))
        #expect((image.minDisk, image.minRAM) == (5, 2_147_483_647))
        #expect(image.tags == ["b", "a"])
        #expect(image.properties == ["kernel_id": String?.none, "os_distro": "alpine", "": "", "is_public": "x"])
    }

    @Test("an image may have no name and no formats")
    func nulls() throws {
        let draft = try draft(["name": nil, "container_format": nil, "disk_format": nil])
        #expect(draft.name == nil && draft.containerFormat == nil && draft.diskFormat == nil)
    }

    @Test(
        "names that are not the client's are refused",
        arguments: [
            (["self": 5], .forbidden, "Attribute 'self' is read-only."),
            (["name": 5, "stores": "x"], .forbidden, "Attribute 'stores' is read-only."),
            (["status": "active"], .forbidden, "Attribute 'status' is read-only."),
            (["status": "nonsense"], .invalidRequest, "'status' must be one of"),
            (["size": 5, "os_glance_x": "x"], .forbidden, "Attribute 'size' is read-only."),
            (["os_hash_algo": "sha512"], .forbidden, "Attribute 'os_hash_algo' is read-only."),
            (["os_hash_value": nil], .forbidden, "Attribute 'os_hash_value' is read-only."),
            (["locations": []], .forbidden, "Attribute 'locations' is reserved."),
            (["locations": "x"], .invalidRequest, "'locations' must be an array"),
            (["os_glance_x": "x"], .forbidden, "Attribute 'os_glance_x' is reserved."),
            (["os_glance_x": 5], .invalidRequest, "'os_glance_x' must be a string"),
            (["deleted": "x"], .forbidden, "Attribute 'deleted' is reserved."),
            (["id": "x"], .invalidRequest, "'id' must be a UUID"),
        ] as [(JSONObject, ServiceError.Code, String)]
    )
    func refusedNames(body: JSONObject, code: ServiceError.Code, phrase: String) {
        expectRefusal(code, phrase) { _ = try draft(body) }
    }

    @Test(
        "a minimum has its range, checked after policy had its say",
        arguments: [
            ("min_disk", -1, "Cannot be a negative value"),
            ("min_ram", .integer(.min), "Cannot be a negative value"),
            ("min_ram", 2_147_483_648, "'min_ram' value out of range, must not exceed 2147483647."),
            ("min_disk", .double(1e30), "'min_disk' value out of range, must not exceed 2147483647."),
            ("min_disk", .double(-1e30), "Cannot be a negative value"),
        ] as [(String, JSONValue, String)]
    )
    func minimum(name: String, value: JSONValue, phrase: String) throws {
        var body = JSONObject()
        body[name] = value
        let draft = try draft(body)
        expectRefusal(.invalidRequest, phrase) { try draft.requireValidFields() }
    }

    @Test("quotas count distinct tags and custom properties")
    func quotas() throws {
        let draft = try draft(["tags": ["a", "b", "a"], "x": "1", "y": "2", "name": "n"])
        try draft.requireRoom(within: ImageLimits(tagQuota: 2, propertyQuota: 2))
        try draft.requireRoom(within: ImageLimits(tagQuota: -1, propertyQuota: -1))
        expectRefusal(
            .limitExceeded,
            "The limit has been exceeded on the number of allowed image tags. Attempted: 2, Maximum: 1"
        ) { try draft.requireRoom(within: ImageLimits(tagQuota: 1)) }
        expectRefusal(
            .limitExceeded,
            "The limit has been exceeded on the number of allowed image properties. Attempted: 2, Maximum: 0"
        ) { try draft.requireRoom(within: ImageLimits(propertyQuota: 0)) }
    }

    @Test("an image belongs to the caller's project; only an administrator says otherwise")
    func owner() throws {
        let member = Caller(project: "p")
        let admin = Caller(project: "a", isAdmin: true)
        #expect(try draft([:]).owner(for: member) == "p")
        #expect(try draft(["owner": "p"]).owner(for: member) == "p")
        #expect(try draft(["owner": "other"]).owner(for: admin) == "other")
        #expect(try draft(["owner": nil]).owner(for: admin) == nil)
        #expect(try draft(["owner": ""]).owner(for: admin) == nil)
        for (value, shown) in [("other", "other"), ("", "None"), (nil, "None")] as [(JSONValue, String)] {
            let draft = try draft(["owner": value])
            expectRefusal(.forbidden, "You are not permitted to create images owned by '\(shown)'") {
                _ = try draft.owner(for: member)
            }
        }
        let nobodys = try draft(["owner": nil])
        expectRefusal(.forbidden, "You are not permitted") { _ = try nobodys.owner(for: Caller()) }
    }
}

@Suite("Tags")
struct ImageTagsTests {
    private func image(tags: [String]) throws -> Image {
        let id = try #require(ImageID("5c1f6a0e-7d61-4c2f-9a35-0d2b6a7f9e11"))
        return Image(id: id, tags: tags)
    }

    @Test("adding is idempotent, also when no more fit")
    func add() throws {
        var image = try image(tags: ["a"])
        let limits = ImageLimits(tagQuota: 2)
        let additions = [try image.addTag("b", limits: limits), try image.addTag("b", limits: limits)]
        #expect(additions == [true, false])
        #expect(image.tags == ["a", "b"])
        expectRefusal(.limitExceeded, "allowed image tags. Attempted: 3, Maximum: 2") {
            _ = try image.addTag("c", limits: limits)
        }
    }

    @Test("a tag has at most 255 characters")
    func length() throws {
        var image = try image(tags: [])
        let isAdded = try image.addTag(String(repeating: "é", count: 255), limits: ImageLimits())
        #expect(isAdded)
        expectRefusal(.invalidRequest, "longer than 255 characters") {
            _ = try image.addTag(String(repeating: "x", count: 256), limits: ImageLimits())
        }
    }

    @Test("tags differ in their bytes, not in their looks")
    func bytes() throws {
        var image = try image(tags: [])
        try image.setTags(["\u{E9}", "e\u{301}", "E", "e"], limits: ImageLimits())
        #expect(image.tags.count == 4)
        let removals = [image.removeTag("e\u{301}"), image.removeTag("e\u{301}")]
        #expect(removals == [true, false])
        #expect(image.hasTag("\u{E9}"))
        #expect(image.hasTag("e\u{301}") == false)
    }
}
