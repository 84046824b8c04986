internal import Glibc

/// Tells systemd how far the service is, as `Type=notify` units expect it (sd_notify(3)); without systemd it does nothing.
public struct ServiceManager: Sendable {
    /// A path, or a name of the abstract namespace behind an `@`.
    private let socketName: String?

    /// - Parameter environment: Where `NOTIFY_SOCKET` is looked for.
    public init(environment: [String: String]) {
        let name = environment["NOTIFY_SOCKET"] ?? ""
        socketName = name.hasPrefix("/") || (name.hasPrefix("@") && name.utf8.count > 1) ? name : nil
    }

    /// Of this process.
    public init() { self.init(environment: environment()) }

    public enum State: Sendable {
        case ready, reloading, stopping

        fileprivate var text: String {
            switch self {
            case .ready: "READY=1\nSTATUS=Serving requests"
            case .reloading:
                "RELOADING=1\nMONOTONIC_USEC=\(monotonicMicroseconds())\nSTATUS=Reading keys and certificates"
            case .stopping: "STOPPING=1\nSTATUS=Finishing what runs"
            }
        }
    }

    /// Sends one datagram. A manager that does not listen is no reason to stop serving: failures are passed over.
    public func tell(_ state: State) {
        guard let socketName else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(socketName.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let message = Array(state.text.utf8)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}

/// By the clock that systemd compares with.
private func monotonicMicroseconds() -> Int {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}
