internal import Synchronization

/// Whether the client of a connection still listens. May be asked on any thread.
public final class ClientPresence: Sendable {
    private let left = Atomic(false)

    init() {}

    /// Whether the client has closed the connection, or its half of it.
    public var hasLeft: Bool { left.load(ordering: .relaxed) }

    func leave() { left.store(true, ordering: .relaxed) }
}
