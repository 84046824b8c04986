import ImageModel
import Testing

@Suite("Parameters of metadata definitions")
struct MetadefQueryTests {
    private func query(_ parameters: KeyValuePairs<String, String>) throws -> MetadefNamespaceQuery {
        try MetadefNamespaceQuery(
            parameters: parameters.map { ($0.key, $0.value) },
            paging: PageLimits(default: 25, maximum: 100)
        )
    }

    @Test("a list of namespaces is 25, newest first, unless it is told otherwise")
    func namespaces() throws {
        #expect(try query([:]) == MetadefNamespaceQuery(limit: 25))
        #expect(try query(["limit": "500"]).limit == 100)
        #expect(try query(["limit": "0"]).limit == 0)
        #expect(try query(["limit": "99999999999999999999"]).limit == 100)
        #expect(try query(["anything": "else", "limit": "1", "limit": "2"]).limit == 2)
        #expect(
            try query([
                "marker": "m", "sort_key": "namespace", "sort_dir": "asc", "visibility": "public",
                "resource_types": "A, B",
            ])
                == MetadefNamespaceQuery(
                    limit: 25,
                    marker: "m",
                    sortKey: .namespace,
                    direction: .ascending,
                    visibility: .public,
                    resourceTypes: ["A", "B"]
                )
        )
    }

    @Test(
        "what cannot be meant is refused",
        arguments: [
            ("limit", "-1"), ("limit", "abc"), ("limit", ""), ("sort_dir", "up"), ("sort_key", "colour"),
            ("visibility", "shared"),
        ]
    )
    func refusedNamespaces(_ name: String, _ value: String) {
        expectRefusal(.invalidRequest, name) { _ = try query([name: value]) }
    }

    @Test(
        "tags and objects have their own limits and visibilities",
        arguments: [
            ("limit", "-1", false, false), ("limit", "0", true, false), ("limit", "x", false, false),
            ("limit", "1", true, true), ("sort_dir", "up", false, false), ("visibility", "shared", true, true),
            ("visibility", "none", false, false), ("sort_key", "name", true, true), ("sort_key", "x", false, true),
            ("marker", "m", true, true),
        ]
    )
    func parts(_ name: String, _ value: String, _ tagsTakeIt: Bool, _ objectsTakeIt: Bool) {
        do {
            _ = try MetadefTagQuery(parameters: [(name, value)])
            #expect(tagsTakeIt)
        } catch {
            #expect(!tagsTakeIt)
            #expect(error.code == .invalidRequest)
        }
        do {
            try MetadefObject.requireKnown(parameters: [(name, value)])
            #expect(objectsTakeIt)
        } catch {
            #expect(!objectsTakeIt)
            #expect(error.code == .invalidRequest)
        }
    }
}
