import RegistryHTTP
import Testing

@Suite("Registry endpoints")
struct RegistryEndpointTests {
    static let accepted: [(text: String, RegistryEndpoint, description: String)] = [
        ("http://registry:9191", .tcp(host: "registry", port: 9191), "http://registry:9191"),
        ("http://registry:9191/", .tcp(host: "registry", port: 9191), "http://registry:9191"),
        ("https://registry:9191", .tls(host: "registry", port: 9191), "https://registry:9191"),
        ("https://[::1]:9191/", .tls(host: "::1", port: 9191), "https://[::1]:9191"),
        ("http://127.0.0.1:1", .tcp(host: "127.0.0.1", port: 1), "http://127.0.0.1:1"),
        ("http://[::1]:65535", .tcp(host: "::1", port: 65_535), "http://[::1]:65535"),
        (
            "unix:/run/glance/registry.sock", .unixSocket(path: "/run/glance/registry.sock"),
            "unix:/run/glance/registry.sock"
        ),
    ]

    @Test("addresses are read, and shown as they are read")
    func reading() {
        for (text, endpoint, description) in Self.accepted {
            #expect(RegistryEndpoint(text) == endpoint)
            #expect(endpoint.description == description)
            #expect(RegistryEndpoint(description) == endpoint)
        }
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", "registry:9191", "https://registry", "https:registry:9191", "http://registry", "http://registry:",
            "http://:9191",
            "http://registry:0", "http://registry:65536", "http://registry:port", "http://registry:-1",
            "http://registry:+1", "http://registry:9191/v1", "http://registry/v1:9191", "http://user@registry:9191",
            "http://[::1]", "http://[]:9191", "unix:run/registry.sock", "HTTP://registry:9191",
            "http://registry:9191//", "http://reg istry:9191", "http://registry?:9191", "http://registry#:9191",
            "http://::1:9191",
        ]
    )
    func refused(_ text: String) {
        #expect(RegistryEndpoint(text) == nil)
    }
}
