internal import Glibc

/// Tells whether an earlier process of this node still lives, so that its uploads are not taken from it: while it drains,
/// or when a second one was started, by mistake or not.
///
/// A name in Linux's abstract socket namespace: it goes with the process, however that ends, and leaves no file.
public final class NodeLock: Sendable {
    private let name: String

    /// - Parameters:
    ///   - program: What the process is.
    ///   - node: The same for every start of it here.
    public init(program: String, node: String) { name = "\(program):\(node)" }

    /// Takes the node's name for as long as this process lives.
    ///
    /// - Returns: `false` while another process has it.
    public func acquire() -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // The first byte stays zero: abstract. A name too long is cut; the rest still tells nodes apart.
        let bytes = Array(name.utf8.suffix(MemoryLayout.size(ofValue: address.sun_path) - 1))
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (index, byte) in bytes.enumerated() { path[index + 1] = byte }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + bytes.count)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        // Kept open on success: the name is held by the descriptor, until the process ends.
        if result != 0 { close(descriptor) }
        return result == 0
    }
}
