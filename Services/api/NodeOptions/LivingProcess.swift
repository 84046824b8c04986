internal import Glibc
internal import ServiceKit

/// Says that this process lives, and whether another of this machine does, so that nothing is taken from one that does:
/// while it drains, or when a second one was started, by mistake or not.
///
/// A name in Linux's abstract socket namespace: it goes with the process, however that ends, and leaves no file.
public final class LivingProcess: Sendable {
    private let descriptor: Int32

    /// - Parameter process: By which the registry knows this process, and nobody else ever.
    /// - Throws: ``ProgramFailure`` when the others could not be told that it lives.
    public init(_ process: String) throws {
        guard let descriptor = Self.bind(process) else {
            let reason = String(cString: strerror(errno))
            throw ProgramFailure("a local socket, which says that this process lives, cannot be had: \(reason)")
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Whether a process lives. One that cannot be asked after is said to.
    public static func has(_ process: String) -> Bool {
        guard let descriptor = bind(process) else { return true }
        close(descriptor)
        return false
    }

    /// - Returns: what holds the name; `nil`, with `errno`, when it cannot be had.
    private static func bind(_ process: String) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // The first byte stays zero: abstract.
        let bytes = Array("glance:\(process)".utf8.prefix(MemoryLayout.size(ofValue: address.sun_path) - 1))
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (index, byte) in bytes.enumerated() { path[index + 1] = byte }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + bytes.count)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(descriptor, $0, length) }
        }
        if result == 0 { return descriptor }
        let reason = errno
        close(descriptor)
        errno = reason
        return nil
    }
}
