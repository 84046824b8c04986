import ImageModel
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Identity

/// A memcached of a few lines, which can be told to be silent or to talk nonsense.
private final class ScriptedMemcached: Sendable {
    enum Manner { case proper, silent, nonsense }
    private let channel: any Channel
    private let shared = Shared()

    final class Shared: Sendable {
        let values = Mutex<[String: String]>([:])
        let commands = Mutex<[String]>([])
        let manner = Mutex(Manner.proper)
    }

    var server: MemcachedSettings.Server? { .init("127.0.0.1:\(channel.localAddress?.port ?? 0)") }
    var commands: [String] { shared.commands.withLock { $0 } }
    func behave(_ manner: Manner) { shared.manner.withLock { $0 = manner } }

    init() async throws {
        let shared = shared
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(shared))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func close() async throws { try await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let shared: Shared
        private var text = ""

        init(_ shared: Shared) { self.shared = shared }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: unwrapInboundIn(data))
            let manner = shared.manner.withLock { $0 }
            while let reply = next() {
                guard manner != .silent else { continue }
                let bytes = ByteBuffer(string: manner == .proper ? reply : "what?\r\n")
                context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
            }
        }

        private func next() -> String? {
            var lines = text.components(by: "\r\n")
            guard lines.count > 1 else { return nil }
            let words = lines[0].split(separator: " ").map(String.init)
            if words.first == "set" {
                guard lines.count > 2 else { return nil }
                shared.values.withLock { $0[words[1]] = lines[1] }
            }
            shared.commands.withLock { $0.append(lines[0]) }
            lines.removeFirst(words.first == "set" ? 2 : 1)
            text = lines.joined(separator: "\r\n")
            if words.first == "set" { return "STORED\r\n" }
            guard let value = shared.values.withLock({ $0[words[1]] }) else { return "END\r\n" }
            return "VALUE \(words[1]) 0 \(value.utf8.count)\r\n\(value)\r\nEND\r\n"
        }
    }
}

extension String {
    fileprivate func components(by separator: String) -> [String] {
        var parts: [String] = []
        var part: [UInt8] = []
        let bytes = Array(utf8)
        let mark = Array(separator.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: mark) {
                parts.append(String(decoding: part, as: UTF8.self))
                part = []
                index += mark.count
            } else {
                part.append(bytes[index])
                index += 1
            }
        }
        return parts + [String(decoding: part, as: UTF8.self)]
    }
}

@Suite("memcached")
struct MemcachedTests {
    private func withMemcached(
        _ adjust: (inout MemcachedSettings) -> Void = { _ in },
        _ body: (ScriptedMemcached, Memcached) async throws -> Void
    ) async throws {
        let server = try await ScriptedMemcached()
        var settings = MemcachedSettings(servers: [try #require(server.server)])
        // More than any machine takes, unless it is about being late.
        settings.timeout = .seconds(60)
        adjust(&settings)
        let client = Memcached(settings, logger: Logger(label: "test"))
        try await body(server, client)
        await client.shutdown()
        #expect(await client.get("closed") == nil)
        try await server.close()
    }

    @Test("what was set is got, on one connection however many ask at once")
    func together() async throws {
        try await withMemcached { server, client in
            await client.set("k", Array("v".utf8), seconds: 7)
            #expect(server.commands == ["set k 0 7 1"])
            #expect(await client.get("k") == Array("v".utf8))
            #expect(await client.get("other") == nil)
            await withTaskGroup(of: Bool.self) { group in
                for index in 0..<200 {
                    group.addTask { await client.get(index.isMultiple(of: 2) ? "k" : "x\(index)") != nil }
                }
                #expect(await group.reduce(0) { $0 + ($1 ? 1 : 0) } == 100)
            }
        }
    }

    @Test("a server that is silent or talks nonsense is empty, soon, and left alone", arguments: [true, false])
    func faults(isSilent: Bool) async throws {
        try await withMemcached({
            $0.timeout = .seconds(1); $0.restTime = .seconds(3_600)
        }) { server, client in
            await client.set("k", Array("v".utf8), seconds: 7)
            server.behave(isSilent ? .silent : .nonsense)
            let start = ContinuousClock.now
            for _ in 0..<100 { #expect(await client.get("k") == nil) }
            #expect(server.commands.count <= 2)
            // A hundred that were waited for take a hundred.
            #expect(ContinuousClock.now - start < .seconds(60))
        }
    }

    @Test("a server that rested is asked again")
    func recovery() async throws {
        try await withMemcached({ $0.restTime = .milliseconds(100) }) { server, client in
            await client.set("k", Array("v".utf8), seconds: 7)
            server.behave(.nonsense)
            #expect(await client.get("k") == nil)
            server.behave(.proper)
            try await Task.sleep(for: .milliseconds(150))
            #expect(await client.get("k") == Array("v".utf8))
        }
    }

    @Test("a server that does not exist is empty")
    func nobody() async throws {
        let settings = MemcachedSettings(servers: [try #require(.init("127.0.0.1:1"))])
        let client = Memcached(settings, logger: Logger(label: "test"))
        #expect(await client.get("k") == nil)
        await client.set("k", [1], seconds: 1)
        await client.shutdown()
    }

    @Test("two processes with one cache ask Keystone once, and neither entry nor name shows the token")
    func shared() async throws {
        let memcached = try await ScriptedMemcached()
        var settings = MemcachedSettings(servers: [try #require(memcached.server)])
        settings.timeout = .seconds(60)
        let shared = settings
        let keystone = try await ScriptedKeystone()
        for _ in 0..<2 {
            try await withIdentity(keystone, { $0.sharedCache = shared }) { identity in
                let caller = try await identity.identify("user-token")
                #expect(caller.user == "u-1" && caller.project == "p-1")
                // The second asks after the first has told, which nobody waits for, and which a shutdown ends.
                for _ in 0..<6_000 where !memcached.commands.contains(where: { $0.hasPrefix("set") }) {
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
        }
        #expect(keystone.asked("GET /v3/auth/tokens") == 1)
        #expect(memcached.commands.allSatisfy { !$0.contains("user-token") })
        try await keystone.close()
        try await memcached.close()
    }
}
