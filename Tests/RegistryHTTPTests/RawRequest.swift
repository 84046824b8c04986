import Digests
import ImageModel
import NIOCore
import NIOPosix
import RegistryContract
import ServiceKit

/// A request written by hand, to say what the client would never say.
struct RawRequest: Sendable {
    var method = "POST"
    var path: String
    var body: [UInt8]
    /// Without those that HTTP itself needs.
    var headers: [(name: String, value: String)]
    /// Whether the body follows its head.
    var sendsBody = true
    var isChunked = false

    /// A request that is signed as it must be.
    init(
        _ operation: String,
        _ body: String,
        key: RegistryKeys.Key = RegistryUnderTest.oldKey,
        version: Int = 1,
        at time: Timestamp = .now,
        age: Int64 = 0
    ) {
        self.init(operation, Array(body.utf8), key: key, version: version, at: time, age: age)
    }

    init(
        _ operation: String,
        _ body: [UInt8],
        key: RegistryKeys.Key = RegistryUnderTest.oldKey,
        version: Int = 1,
        at time: Timestamp = .now,
        age: Int64 = 0
    ) {
        path = RegistryProtocol.pathPrefix + operation
        self.body = body
        let signature = RequestSignature.make(
            with: key,
            method: "POST",
            path: path,
            version: version,
            body: body,
            timestamp: time.microseconds / 1_000_000 - age,
            nonce: randomBytes(16).hexadecimal
        )
        headers = [
            (RegistryProtocol.Header.version, "\(version)"),
            (RegistryProtocol.Header.keyID, signature.keyID),
            (RegistryProtocol.Header.timestamp, "\(signature.timestamp)"),
            (RegistryProtocol.Header.nonce, signature.nonce),
            (RegistryProtocol.Header.signature, signature.value),
        ]
    }

    subscript(header name: String) -> String? {
        get { headers.first { $0.name == name }?.value }
        set {
            guard let index = headers.firstIndex(where: { $0.name == name }) else { return }
            if let newValue { headers[index].value = newValue } else { headers.remove(at: index) }
        }
    }

    private var bytes: [UInt8] {
        var head = "\(method) \(path) HTTP/1.1\r\nhost: registry\r\nconnection: close\r\n"
        head += isChunked ? "transfer-encoding: chunked\r\n" : "content-length: \(body.count)\r\n"
        for header in headers { head += "\(header.name): \(header.value)\r\n" }
        var bytes = Array("\(head)\r\n".utf8)
        guard sendsBody else { return bytes }
        if isChunked {
            bytes += "\(String(body.count, radix: 16))\r\n".utf8
            bytes += body
            bytes += "\r\n0\r\n\r\n".utf8
        } else {
            bytes += body
        }
        return bytes
    }

    /// Sends it and reads until the registry closes the connection.
    ///
    /// - Parameters:
    ///   - thenLeaves: whether its own half of the connection is closed behind it.
    ///   - isSent: told when everything is on its way.
    func send(to port: Int, thenLeaves: Bool = false, isSent: () -> Void = {}) async throws -> RawAnswer {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: bytes))
            if thenLeaves { try await channel.channel.close(mode: .output) }
            isSent()
            var answer: [UInt8] = []
            for try await part in inbound { answer += part.readableBytesView }
            return RawAnswer(answer)
        }
    }
}

/// An answer, taken apart. Equal to another that says the same, however long it took.
struct RawAnswer: Sendable, Equatable {
    var status: Int
    /// By name in lower case, without the date and the times.
    var headers: [String: String] = [:]
    /// What the registry says that it took.
    var times: RegistryTimes?
    var body: String

    init(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let head = text.prefix(upTo: text.firstRange(of: "\r\n\r\n")?.lowerBound ?? text.endIndex)
        let lines = head.split(separator: "\r\n")
        status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        for line in lines.dropFirst() {
            let parts = line.split(separator: ": ", maxSplits: 1)
            let name = parts[0].lowercased()
            let value = parts.count > 1 ? String(parts[1]) : ""
            switch name {
            case "date": break
            case RegistryProtocol.Header.times: times = RegistryTimes(headerValue: value)
            default: headers[name] = value
            }
        }
        body = String(text.dropFirst(head.count + 2))
    }

    static func == (one: RawAnswer, other: RawAnswer) -> Bool {
        one.status == other.status && one.headers == other.headers && one.body == other.body
    }
}
