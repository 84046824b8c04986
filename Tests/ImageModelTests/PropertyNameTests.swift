import ImageModel
import Testing

@Suite("Property names")
struct PropertyNameTests {
    static let readOnly = [
        "created_at", "updated_at", "status", "checksum", "size", "virtual_size", "direct_url", "self", "file",
        "schema",
        "stores", "os_hash_algo", "os_hash_value",
    ]
    static let reserved = ["location", "deleted", "deleted_at", "os_glance", "os_glance_x", "os_glanceful"]
    static let ordinary = ["", "x", "os_glanc", "Os_Glance", "is_public", "image_id", "extra_properties", "base", "é"]

    @Test("read-only names are refused everywhere", arguments: readOnly)
    func refusesReadOnly(name: String) {
        expectRefusal(.forbidden, "Attribute '\(name)' is read-only.") { try PropertyName(name).requireCreatable() }
        expectRefusal(.forbidden, "Attribute '\(name)' is read-only.") { try PropertyName(name).requireChangeable() }
    }

    @Test("reserved names are refused everywhere", arguments: reserved)
    func refusesReserved(name: String) {
        expectRefusal(.forbidden, "Attribute '\(name)' is reserved.") { try PropertyName(name).requireCreatable() }
        expectRefusal(.forbidden, "Attribute '\(name)' is reserved.") { try PropertyName(name).requireChangeable() }
    }

    @Test("other names are the client's to use", arguments: ordinary)
    func allowsOrdinary(name: String) throws {
        try PropertyName(name).requireCreatable()
        try PropertyName(name).requireChangeable()
        try PropertyName(name).requireNotComputed()
        try PropertyName(name).requireLength()
    }

    @Test("the prefix is compared by bytes, whatever follows it")
    func prefix() {
        #expect(PropertyName("os_glance\u{301}").isInternal)
    }

    @Test("an id is given at creation and never changed")
    func id() throws {
        try PropertyName("id").requireCreatable()
        expectRefusal(.forbidden, "Attribute 'id' is read-only.") { try PropertyName("id").requireChangeable() }
    }

    @Test("locations are not given at creation")
    func locations() throws {
        expectRefusal(.forbidden, "Attribute 'locations' is reserved.") {
            try PropertyName("locations").requireCreatable()
        }
        try PropertyName("locations").requireChangeable()
    }

    @Test("what is made up for showing is told from the rest", arguments: readOnly)
    func computed(name: String) {
        #expect(PropertyName(name).isComputed == ["self", "file", "schema", "direct_url", "stores"].contains(name))
    }

    @Test("a name has at most 255 characters")
    func length() throws {
        try PropertyName(String(repeating: "é", count: 255)).requireLength()
        expectRefusal(.invalidRequest, "Custom property should not be greater than 255 characters.") {
            try PropertyName(String(repeating: "x", count: 256)).requireCreatable()
        }
    }
}
