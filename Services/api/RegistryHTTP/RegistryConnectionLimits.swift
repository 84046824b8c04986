/// How much one event loop has under way with one registry; what is more is refused at once.
public struct RegistryConnectionLimits: Sendable {
    /// Connections, each with one exchange at a time.
    public var connections: Int
    /// Exchanges that wait for one of them.
    public var waiting: Int

    public init(connections: Int = 128, waiting: Int = 2_048) {
        precondition(connections > 0 && waiting >= 0, "a registry that nothing may be asked is no registry")
        self.connections = connections
        self.waiting = waiting
    }
}
