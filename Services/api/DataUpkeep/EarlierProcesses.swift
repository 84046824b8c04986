public import RegistryContract

/// Gives up what other processes of this node held and that live no more: uploads that died can be repeated at once, and
/// what they had taken is anybody's, before the leases end.
public struct EarlierProcesses: Sendable {
    private let registry: any RegistryClient
    private let holder: Holder
    private let lives: @Sendable (String) -> Bool

    /// - Parameters:
    ///   - holder: This process.
    ///   - lives: Whether a process of this node lives, by the name that the registry knows it by.
    public init(registry: any RegistryClient, holder: Holder, lives: @escaping @Sendable (String) -> Bool) {
        self.registry = registry
        self.holder = holder
        self.lives = lives
    }

    /// - Returns: whether all that held something are gone. Another time tells of the others.
    public func release() async throws(RegistryError) -> Bool {
        let holding = try await registry.call(ListProcesses(holder: holder), as: .service, requestID: "start")
        // Those that the registry names held something before they were looked for: one that starts now is not among them.
        let ended = holding.processes.filter { !lives($0) }
        if !ended.isEmpty {
            _ = try await registry.call(
                ReleaseUploads(holder: holder, ended: ended),
                as: .service,
                requestID: "start"
            )
        }
        return ended.count == holding.processes.count
    }
}
