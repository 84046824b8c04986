import Foundation
import ImageModel
import NIOCore
import NIOPosix
import RegistryContract
import RegistryDatabase
import RegistryHTTP
import ServiceKit
import Testing

/// A write that its client was told has failed is not applied later.
@Suite("How long the registry is waited for")
struct RegistryPatienceTests {
    private static let patience = RegistryProtocol.Header.patience

    private func create(_ image: Image, patience: String?) -> RawRequest {
        let key = "0123456789abcdef\(image.id.text)"
        var request = RawRequest("images.create", RegistryRequestTests.envelope(CreateImage(image: image), key: key))
        if let patience { request.headers.append((Self.patience, patience)) }
        return request
    }

    /// What one exchange may take, in milliseconds.
    private static func half(_ patience: Duration) -> Int { Int(patience.components.seconds) * 500 }

    @Test("every request tells how long its answer is waited for, which is less than that")
    func told() async throws {
        try await RegistryUnderTest.served { _, port in
            try await FaultyProxy.with(upstream: port) { proxy in
                try await withClient(port: proxy.port) { client in
                    func told() -> Int? {
                        let text = String(decoding: proxy.traffic.request, as: UTF8.self)
                        let line = text.split(separator: "\r\n").first { $0.hasPrefix("\(Self.patience): ") }
                        return line.flatMap { Int($0.dropFirst(Self.patience.count + 2)) }
                    }
                    let image = try await client.call(CreateImage(image: .sample()))
                    #expect((1...Self.half(RegistryPatience.ample.writes) - 200).contains(try #require(told())))
                    proxy.reset()
                    _ = try await client.call(ShowImage(id: image.id))
                    #expect((1...Self.half(RegistryPatience.ample.reads) - 200).contains(try #require(told())))
                }
            }
        }
    }

    @Test("a write that nobody waits for is refused as one to repeat, and a patience that is none as malformed")
    func values() async throws {
        try await RegistryUnderTest.served { registry, port in
            var created: Int64 = 0
            for (patience, status) in [
                ("60000", 200), (nil, 200), ("0", 503), ("", 400), ("-1", 400), ("soon", 400), ("1.5", 400),
                ("9223372036854775807", 400), ("99999999999999999999", 400),
            ] as [(String?, Int)] {
                let answer = try await create(.sample(), patience: patience).send(to: port)
                #expect(answer.status == status, "\(patience ?? "none"): \(answer.body)")
                #expect((answer.headers["retry-after"] != nil) == (status == 503))
                created += status == 200 ? 1 : 0
                #expect(try await registry.count() == created, "\(patience ?? "none")")
            }
        }
    }

    @Test("a write that waits too long for its turn is refused meanwhile, and never applied")
    func inLine() async throws {
        try await RegistryUnderTest.served { registry, port in
            try await registry.withHeldWriter {
                let answer = try await create(.sample(), patience: "300").send(to: port)
                #expect(answer.status == 503)
                #expect(answer.body.contains("unavailable"))
            }
            #expect(try await registry.count() == 0)
        }
    }

    @Test("a write whose sender has closed the connection is not applied, however long it would have waited")
    func closed() async throws {
        try await RegistryUnderTest.served { registry, port in
            let channels = try await withHeldWriterAndTwoRequests(registry, port)
            // The one that stayed is answered: all that came before it is decided.
            #expect(channels.status == 200)
            #expect(try await registry.count() == 1)
            #expect(try await registry.count(channels.stayed) == 1)
        }
    }

    /// Two creates wait for the writer; the sender of the first closes its half of the connection.
    private func withHeldWriterAndTwoRequests(
        _ registry: RegistryUnderTest,
        _ port: Int
    ) async throws -> (status: Int, stayed: ImageID) {
        let (gone, stays) = (Image.sample("gone"), Image.sample("stays"))
        let left = create(gone, patience: "60000")
        let stayed = create(stays, patience: "60000")
        return try await withThrowingTaskGroup(of: Int.self) { tasks in
            let (sent, sending) = AsyncStream.makeStream(of: Void.self)
            try await registry.withHeldWriter {
                tasks.addTask {
                    let answer = try await left.send(to: port, thenLeaves: true) { sending.yield() }
                    return answer.status == 503 ? 0 : -1
                }
                tasks.addTask { try await stayed.send(to: port) { sending.yield() }.status }
                for await _ in sent.prefix(2) {}
                // Every event loop has taken in what lies there: the request, and its sender's end behind it.
                for _ in 0..<10 {
                    for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { try await loop.submit {}.get() }
                    try await Task.sleep(for: .milliseconds(25))
                }
            }
            var statuses: [Int] = []
            for try await status in tasks { statuses.append(status) }
            #expect(statuses.contains(0), "who left has been refused")
            return (statuses.max() ?? 0, stays.id)
        }
    }
}
