import Glibc
import Testing

@testable import ServiceKit

@Suite("What systemd is told")
struct ServiceManagerTests {
    private let directory = TemporaryDirectory()

    /// A datagram socket as systemd's; the name may be abstract (`@…`).
    private func listen(_ name: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        try #require(result == 0)
        return descriptor
    }

    private func receive(_ descriptor: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }

    @Test("states arrive at a path and at an abstract name", arguments: [true, false])
    func states(_ isAbstract: Bool) throws {
        let name = isAbstract ? "@glance-test-\(getpid())" : "\(directory.path)/notify"
        let descriptor = try listen(name)
        defer { close(descriptor) }
        let manager = ServiceManager(environment: ["NOTIFY_SOCKET": name])
        manager.tell(.ready)
        #expect(receive(descriptor)?.split(separator: "\n").first == "READY=1")
        manager.tell(.reloading)
        let lines = receive(descriptor)?.split(separator: "\n") ?? []
        #expect(lines.first == "RELOADING=1")
        #expect(lines.contains { $0.hasPrefix("MONOTONIC_USEC=") && Int($0.dropFirst(15)) ?? 0 > 0 })
        manager.tell(.stopping)
        #expect(receive(descriptor)?.split(separator: "\n").first == "STOPPING=1")
        #expect(receive(descriptor) == nil)
    }

    @Test(
        "without systemd, and with a name that is none, nothing happens",
        arguments: [nil, "", "@", "relative", "/nonexistent/notify", "/" + String(repeating: "x", count: 200)]
    )
    func nobody(_ name: String?) {
        let environment = name.map { ["NOTIFY_SOCKET": $0] } ?? [:]
        ServiceManager(environment: environment).tell(.ready)
    }
}
