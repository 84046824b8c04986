import HTTPTypes
import Hummingbird
import Testing

@testable import ImageAPI

@Suite("Routes")
struct RouteTableTests {
    /// Every path with what `Allow` says there (Image API v2, "Routing and methods").
    static let allowed: [(template: String, path: String, allow: String)] = [
        ("/schemas/image", "/schemas/image", "GET"),
        ("/schemas/images", "/schemas/images", "GET"),
        ("/schemas/member", "/schemas/member", "GET"),
        ("/schemas/members", "/schemas/members", "GET"),
        ("/schemas/task", "/schemas/task", "GET"),
        ("/schemas/tasks", "/schemas/tasks", "GET"),
        ("/metadefs/namespaces", "/metadefs/namespaces", "GET, POST"),
        ("/metadefs/namespaces/{namespace}", "/metadefs/namespaces/OS::Software", "GET, PUT, DELETE"),
        ("/metadefs/namespaces/{namespace}/properties", "/metadefs/namespaces/n/properties", "GET, POST, DELETE"),
        (
            "/metadefs/namespaces/{namespace}/properties/{name}", "/metadefs/namespaces/n/properties/p",
            "GET, PUT, DELETE"
        ),
        ("/metadefs/namespaces/{namespace}/objects", "/metadefs/namespaces/n/objects", "GET, POST, DELETE"),
        ("/metadefs/namespaces/{namespace}/objects/{name}", "/metadefs/namespaces/n/objects/o", "GET, PUT, DELETE"),
        ("/metadefs/namespaces/{namespace}/tags", "/metadefs/namespaces/n/tags", "GET, POST, DELETE"),
        ("/metadefs/namespaces/{namespace}/tags/{name}", "/metadefs/namespaces/n/tags/t", "GET, POST, PUT, DELETE"),
        ("/metadefs/os_glance_check", "/metadefs/os_glance_check", "GET"),
        ("/metadefs/resource_types", "/metadefs/resource_types", "GET"),
        ("/metadefs/namespaces/{namespace}/resource_types", "/metadefs/namespaces/n/resource_types", "GET, POST"),
        ("/metadefs/namespaces/{namespace}/resource_types/{name}", "/metadefs/namespaces/n/resource_types/r", "DELETE"),
        ("/schemas/metadefs/namespace", "/schemas/metadefs/namespace", "GET"),
        ("/schemas/metadefs/namespaces", "/schemas/metadefs/namespaces", "GET"),
        ("/schemas/metadefs/resource_type", "/schemas/metadefs/resource_type", "GET"),
        ("/schemas/metadefs/resource_types", "/schemas/metadefs/resource_types", "GET"),
        ("/schemas/metadefs/property", "/schemas/metadefs/property", "GET"),
        ("/schemas/metadefs/properties", "/schemas/metadefs/properties", "GET"),
        ("/schemas/metadefs/object", "/schemas/metadefs/object", "GET"),
        ("/schemas/metadefs/objects", "/schemas/metadefs/objects", "GET"),
        ("/schemas/metadefs/tag", "/schemas/metadefs/tag", "GET"),
        ("/schemas/metadefs/tags", "/schemas/metadefs/tags", "GET"),
        ("/stores/{store}/{id}", "/stores/fast/1", "DELETE"),
        ("/info/import", "/info/import", "GET"),
        ("/info/stores", "/info/stores", "GET"),
        ("/info/stores/detail", "/info/stores/detail", "GET"),
        ("/images", "/images", "GET, POST"),
        ("/images/{id}", "/images/1", "GET, PATCH, DELETE"),
        ("/images/{id}/file", "/images/1/file", "GET, PUT"),
        ("/images/{id}/stage", "/images/1/stage", "PUT"),
        ("/images/{id}/uploads", "/images/1/uploads", "OPTIONS, POST"),
        ("/images/{id}/uploads/{upload}", "/images/1/uploads/u", "OPTIONS, HEAD, PATCH, DELETE"),
        ("/images/{id}/actions/deactivate", "/images/1/actions/deactivate", "POST"),
        ("/images/{id}/actions/reactivate", "/images/1/actions/reactivate", "POST"),
        ("/images/{id}/tags/{tag}", "/images/1/tags/t", "PUT, DELETE"),
        ("/images/{id}/locations", "/images/1/locations", "POST"),
        ("/images/{id}/members", "/images/1/members", "GET, POST"),
        ("/images/{id}/members/{member_id}", "/images/1/members/p", "GET, PUT, DELETE"),
    ]

    /// Routes that other methods are not told of.
    static let unadvertised = ["/info/usage", "/images/{id}/tasks"]

    /// Methods that others on the same path are not told of.
    static let quiet = ["GET /images/1/locations"]

    private let table = RoutesUnderTest.table()

    private func segments(_ path: String) throws -> [String] { try RequestTarget(path).segments }

    @Test("a method that a path does not have is answered with those that it has")
    func wrongMethods() throws {
        let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace]
        for (template, path, allow) in Self.allowed {
            for method in methods where !Self.quiet.contains("\(method.rawValue) \(path)") {
                switch table.match(method, try segments(path)) {
                case .route(let route, _):
                    #expect(route.path == template)
                    #expect(allow.split(separator: ", ").contains { $0 == method.rawValue }, "\(method) \(path)")
                case .wrongMethod(let others):
                    #expect(others.map(\.rawValue).joined(separator: ", ") == allow, "\(method) \(path)")
                    #expect(!allow.split(separator: ", ").contains { $0 == method.rawValue }, "\(method) \(path)")
                case .concealed, .unknown:
                    Issue.record("\(path) is not known")
                }
            }
        }
    }

    @Test("a route that is not advertised is not there for other methods", arguments: unadvertised)
    func concealed(_ path: String) throws {
        for method in [HTTPRequest.Method.head, .post, .put, .patch, .delete, .options] {
            guard case .concealed = table.match(method, try segments(path)) else {
                Issue.record("\(method) \(path) is told of it")
                continue
            }
        }
        guard case .route = table.match(.get, try segments(path)) else {
            Issue.record("GET \(path) is not found")
            return
        }
    }

    @Test("a method that others are not told of is served", arguments: quiet)
    func served(_ name: String) throws {
        let parts = name.split(separator: " ").map(String.init)
        let method = try #require(HTTPRequest.Method(parts[0]))
        guard case .route(let route, _) = table.match(method, try segments(parts[1])) else {
            Issue.record("\(name) is not found")
            return
        }
        #expect(route.method == method && !route.isAdvertised)
    }

    @Test("every route has its row, and no route is there twice")
    func coverage() {
        #expect(Set(table.routes.map(\.path)) == Set(Self.allowed.map(\.template) + Self.unadvertised))
        let routes = table.routes.map { "\($0.method.rawValue) \($0.path)" }
        #expect(routes.count == Set(routes).count)
        #expect(
            routes.count
                == Self.allowed.reduce(Self.unadvertised.count + Self.quiet.count) {
                    $0 + $1.allow.split(separator: ", ").count
                }
        )
    }

    @Test(
        "no trailing slash, empty segment or other case is forgiven, and an encoded slash is one",
        arguments: [
            "/", "/images/", "/images/1/", "/images//file", "/images/1/tags/", "/images/1/tags/a%2Fb", "/Images",
            "/images/1/actions/delete", "/images/1/file/2", "/schemas", "/schemas/image/", "//images", "/nothing",
        ]
    )
    func unknown(_ path: String) throws {
        for method in [HTTPRequest.Method.get, .put, .post] {
            guard case .unknown = table.match(method, try segments(path)) else {
                Issue.record("\(method) \(path) is known")
                continue
            }
        }
    }

    @Test("placeholders stand for what the path has in their place, decoded")
    func parameters() throws {
        guard case .route(let route, let parameters) = table.match(.put, try segments("/images/1/tags/a%20b+c")) else {
            Issue.record("the route is not found")
            return
        }
        #expect(route.path == "/images/{id}/tags/{tag}")
        #expect(parameters == ["id": "1", "tag": "a b+c"])
    }
}
