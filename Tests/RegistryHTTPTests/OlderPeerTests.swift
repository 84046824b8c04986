import Foundation
import ImageModel
import RegistryContract
import RegistryHTTP
import Testing
import WireJSON

/// Services of one release back, on either side: they are replaced one by one.
@Suite("Peers of another release")
struct OlderPeerTests {
    private struct Exchange {
        var operation: String
        var arguments: String
        /// The members of the answer that the older API reads.
        var members: [Substring]
    }

    /// `Tests/Releases/<migration>/exchanges.txt`: one is added with each release and never changed.
    private func exchanges(_ release: String) throws -> [Exchange] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Releases/\(release)/exchanges.txt")
        var exchanges: [Exchange] = []
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            if line.hasPrefix("<") {
                exchanges[exchanges.count - 1].members = line.dropFirst().split(separator: " ")
            } else {
                let parts = line.split(separator: " ", maxSplits: 1)
                exchanges.append(Exchange(operation: String(parts[0]), arguments: String(parts[1]), members: []))
            }
        }
        return exchanges
    }

    @Test("a registry answers an older API all that it reads", arguments: ["0001"])
    func olderAPI(_ release: String) async throws {
        try await RegistryUnderTest.served { _, port in
            for (number, exchange) in try exchanges(release).enumerated() {
                let caller = #"{"user":"u1","project":"p1","roles":["member"],"admin":false}"#
                let key = "older-write-of-number-\(number)"
                let body = """
                    {"caller":\(caller),"request_id":"req-1","key":"\(key)","arguments":\(exchange.arguments)}
                    """
                let answer = try await RawRequest(exchange.operation, body, version: 1).send(to: port)
                #expect(answer.status == 200, "\(exchange.operation): \(answer.body)")
                let members = try JSONMembers(JSONValue(parsing: Array(answer.body.utf8)))
                for name in exchange.members {
                    #expect(members.object["\(name)"] != nil, "\(exchange.operation) answers no \(name)")
                }
            }
        }
    }

    @Test("an API goes on with a registry that speaks a newer version too, and says more than it knows")
    func newerRegistry() async throws {
        let image = Image.sample()
        let known = try #require(JSONValue(parsing: image.jsonBytes).objectValue)
        var writer = JSONWriter()
        writer.object { writer in
            for (name, value) in known.members {
                writer.field(name, value)
            }
            writer.field("of_a_later_release", ["more": [1, nil]])
        }
        let versions = "glance-protocol: \(RegistryProtocol.current)-\(RegistryProtocol.current + 1)"
        let answer = String(decoding: writer.bytes, as: UTF8.self)
        try await FixedServer.with("200 OK", headers: [versions], answer) { port, counter in
            try await withClient(port: port) { client in
                for _ in 0..<3 {
                    let shown = try await client.call(ShowImage(id: image.id))
                    #expect(shown == image)
                }
                #expect(counter.count == 3)
            }
        }
    }

    @Test("an operation that one registry does not know yet is asked of another", arguments: [true, false])
    func newOperation(_ isFirst: Bool) async throws {
        let json = String(decoding: RegistryError(.unknownOperation, "No such operation").jsonBytes, as: UTF8.self)
        try await RegistryUnderTest.served { registry, port in
            try await FixedServer.with("404 Not Found", json) { older, counter in
                let endpoints: [RegistryEndpoint] = [
                    .tcp(host: "127.0.0.1", port: isFirst ? older : port),
                    .tcp(host: "127.0.0.1", port: isFirst ? port : older),
                ]
                try await withClient(endpoints) { client in
                    for _ in 0..<4 { _ = try await client.call(CreateImage(image: .sample())) }
                }
                #expect(try await registry.count() == 4)
                #expect((1...4).contains(counter.count))
            }
        }
    }
}
